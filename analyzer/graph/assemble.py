"""Puts a machine together from its parts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.graph.annotations import Annotations
from analyzer.graph.attributes import Attributes
from analyzer.graph.builtins import Builtins
from analyzer.graph.calls import Calls
from analyzer.graph.classes import Classes
from analyzer.graph.collections import Collections
from analyzer.graph.crossing import Crossings
from analyzer.graph.dispatch import Dispatch
from analyzer.graph.durables import Durables
from analyzer.graph.entering import Entering
from analyzer.graph.enums import Enums
from analyzer.graph.expressions import Expressions
from analyzer.graph.iteration import Iteration
from analyzer.graph.libraries import Libraries
from analyzer.graph.machine import Machine
from analyzer.graph.names import Names
from analyzer.graph.orders import Orders
from analyzer.graph.plain import PlainData
from analyzer.graph.statements import Statements
from analyzer.graph.targets import Targets

if TYPE_CHECKING:
    from collections.abc import Callable

    from analyzer.catalogue.infer import Inference
    from analyzer.catalogue.loader import Catalogue
    from analyzer.facts.spans import Span
    from analyzer.graph.frames import Frame
    from analyzer.resolve.modules import ModuleTable


def build_machine(
    modules: ModuleTable,
    catalogue: Catalogue,
    is_silenced: Callable[[Frame, Span, str], bool],
    *,
    inference: Inference | None = None,
) -> Machine:
    """Return a machine that is ready to evaluate.

    Args:
        modules: the project's modules.
        catalogue: what libraries do.
        is_silenced: tells whether the source silences a code at a place in a frame.
        inference: what installed libraries do that the catalogue does not know, or None.
    """
    machine = Machine(modules, catalogue, is_silenced=is_silenced, inference=inference)
    machine.names = Names(machine)
    machine.expressions = Expressions(machine)
    machine.attributes = Attributes(machine)
    machine.dispatch = Dispatch(machine)
    machine.entering = Entering(machine)
    machine.orders = Orders(machine)
    machine.crossings = Crossings(machine)
    machine.calls = Calls(machine)
    machine.libraries = Libraries(machine)
    machine.builtins = Builtins(machine)
    machine.collections = Collections(machine)
    machine.iteration = Iteration(machine)
    machine.classes = Classes(machine)
    machine.enums = Enums(machine)
    machine.annotations = Annotations(machine)
    machine.durables = Durables(machine)
    machine.plain = PlainData(machine)
    machine.statements = Statements(machine)
    machine.targets = Targets(machine)
    return machine
