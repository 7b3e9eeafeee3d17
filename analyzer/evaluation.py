"""Imports modules, evaluates their jobs and tasks one by one, and tells what each gave."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from analyzer.errors import CheckStale
from analyzer.facts.spans import row_of
from analyzer.findings import Place, chain_of, location, of_body, through
from analyzer.graph.bodies import IN_TASK, MUTATED, Evaluated, closure, evaluate_job, evaluate_tasks
from analyzer.graph.frames import DURABLE, SENDS, Frame
from analyzer.graph.moves import Moves
from analyzer.model import Diagnostic, Job
from analyzer.reachable import reachable
from analyzer.resolve.imports import imported_by
from analyzer.results import FunctionRows, ModuleResult, UnitResult
from analyzer.rules.declarations import (
    DeclaredCall,
    DeclaredJob,
    DeclaredZone,
    declared_call,
    home_of,
    only_text,
)
from analyzer.rules.registry import RULES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from analyzer.graph.declared import Job as JobAtom
    from analyzer.graph.declared import JobDecorator
    from analyzer.graph.frames import ModuleState
    from analyzer.graph.machine import Machine
    from analyzer.resolve.modules import ModuleTable, SourceModule
    from analyzer.suppressions import Suppressions


class Evaluation:
    """Evaluates modules of a project.

    Args:
        machine: evaluates.
        modules: the project's modules.
        suppressions: what the source silences.
        place: where diagnostics may stand.
        is_stale: asked now and then; once it is true, the evaluation is given up.
    """

    def __init__(
        self,
        machine: Machine,
        modules: ModuleTable,
        suppressions: Suppressions,
        place: Place,
        is_stale: Callable[[], bool],
    ) -> None:
        self._machine = machine
        self._modules = modules
        self._suppressions = suppressions
        self._place = place
        self._is_stale = is_stale
        self._is_complete = True

    # --- imports ------------------------------------------------------------------------------------------------------

    def import_all(self, sources: Iterable[SourceModule]) -> None:
        """Evaluate the statements of modules."""
        for source in sources:
            self._stop_if_stale()
            self._machine.module_frame(self._machine.state_of(source), None)
        self._machine.settle()
        self._is_complete = not self._machine.is_exhausted
        self._machine.bodies.update(job.body for job in self._machine.jobs)

    @property
    def registrars(self) -> frozenset[str]:
        """Files of the modules that change what others have made when they are imported."""
        return frozenset(str(state.source.path) for state in self._machine.registrars if state.source.path is not None)

    # --- modules ------------------------------------------------------------------------------------------------------

    def result(self, source: SourceModule, *, with_units: bool) -> ModuleResult:
        """Return what a module gave; with ``with_units``, evaluate its jobs and tasks."""
        state = self._machine.state_of(source)
        needs = closure((state,))
        jobs = sorted(
            ((job, decorator) for job, decorator in self._machine.jobs.items() if job.body.home is state),
            key=lambda pair: pair[0].body.facts.at,
        )
        units: list[UnitResult] | None = None
        if with_units:
            units = []
            for job, decorator in jobs:
                units.append(self._unit(lambda job=job: evaluate_job(self._machine, job), needs, job, decorator))  # type: ignore[misc]
            tasks = [function for function, home in self._machine.tasks.items() if home is state]
            if tasks:
                units.append(self._unit(lambda: evaluate_tasks(self._machine, tasks), needs))
        return ModuleResult(
            name=source.name,
            imports=_files(imported_by(source, self._modules)),
            needs=frozenset(_files(each.source for each in needs)),
            suppressions=tuple(self._suppressions.all(source)),
            broken=source.facts.broken,
            jobs=tuple(self._declared(job, decorator) for job, decorator in jobs),
            calls=tuple(declared_call(call) for call in self._machine.sdk_calls.values() if call.frame.home is state),
            zones=tuple(
                DeclaredZone(only_text(value), home_of(source), at)
                for (frame, at), value in self._machine.zones.items()
                if frame.home is state
            ),
            units=None if units is None else tuple(units),
            is_complete=self._is_complete,
        )

    def _declared(self, job: JobAtom, decorator: JobDecorator) -> DeclaredJob:
        call = self._machine.sdk_calls.get((decorator.frame, decorator.at))
        passed = None if call is None else call.arguments.keyword("id")
        return DeclaredJob(
            id=only_text(passed) or "",
            is_empty=only_text(passed) == "",
            is_computed=passed is not None and only_text(passed) is None,
            function=job.body.facts.qualname,
            home=home_of(decorator.home.source),
            at=decorator.at,
            function_at=job.body.facts.at,
        )

    # --- jobs and tasks -----------------------------------------------------------------------------------------------

    def _unit(
        self,
        evaluate: Callable[[], Evaluated],
        needs: set[ModuleState],
        job: JobAtom | None = None,
        decorator: JobDecorator | None = None,
    ) -> UnitResult:
        """Evaluate a job or tasks alone, coarsely when that takes too much; what they need is added to ``needs``."""
        found = self._alone(evaluate, needs, job, decorator, coarsely=False)
        return found if found.is_complete else self._alone(evaluate, needs, job, decorator, coarsely=True)

    def _alone(
        self,
        evaluate: Callable[[], Evaluated],
        needs: set[ModuleState],
        job: JobAtom | None,
        decorator: JobDecorator | None,
        *,
        coarsely: bool,
    ) -> UnitResult:
        self._stop_if_stale()
        calls, zones = len(self._machine.sdk_calls), len(self._machine.zones)
        with self._machine.alone(coarsely=coarsely) as trail:
            self._suppressions.used = set()
            evaluated = evaluate()
            job_id = "" if job is None else job.id
            diagnostics = [
                *self._in_bodies(evaluated, job_id),
                *self._in_tasks(evaluated),
                *self._lost(evaluated),
            ]
            needs |= closure(trail.touched)
            return UnitResult(
                diagnostics=tuple(dict.fromkeys(diagnostics)),
                jobs=() if job is None else (self._job(job, decorator, evaluated.bodies[0]),),
                calls=self._calls_since(calls),
                zones=self._zones_since(zones),
                silenced=frozenset((str(module.path), row, code) for module, row, code in self._suppressions.used),
                functions=frozenset(_rows(evaluated)),
                is_complete=not self._machine.is_exhausted,
            )

    def _in_bodies(self, evaluated: Evaluated, job: str) -> Iterable[Diagnostic]:
        moves = Moves(self._machine.durables.storable, evaluated.reached)
        for frame in evaluated.bodies:
            yield from of_body(frame, self._place, job, moves)

    def _calls_since(self, count: int) -> tuple[DeclaredCall, ...]:
        return tuple(declared_call(call) for call in islice(self._machine.sdk_calls.values(), count, None))

    def _zones_since(self, count: int) -> tuple[DeclaredZone, ...]:
        return tuple(
            DeclaredZone(only_text(value), home_of(frame.home.source), at)
            for (frame, at), value in islice(self._machine.zones.items(), count, None)
        )

    def _in_tasks(self, evaluated: Evaluated) -> Iterable[Diagnostic]:
        for frame, step in evaluated.nested_steps():
            code = IN_TASK if step.leaf.code == DURABLE else step.leaf.code
            module = frame.home.source
            if self._place.wants(code, module.path) and not self._suppressions.is_silenced(frame, step.at, code):
                leaf = step.leaf
                message = RULES[code].describe(leaf.subject, is_code=leaf.is_code, through=through(step, frame))
                yield self._place.diagnostic(
                    code, module.path, step.at, message, chain=chain_of(step), subject=leaf.subject
                )

    def _lost(self, evaluated: Evaluated) -> Iterable[Diagnostic]:
        for lost in evaluated.lost:
            path, subject = lost.frame.home.source.path, lost.mutation.subject
            if self._place.wants(MUTATED, path) and not self._suppressions.is_silenced(lost.frame, lost.at, MUTATED):
                message = RULES[MUTATED].describe(subject, is_code=False)
                yield self._place.diagnostic(MUTATED, path, lost.at, message, subject=subject)

    def _job(self, job: JobAtom, decorator: JobDecorator | None, frame: Frame) -> Job:
        facts = job.body.facts
        path = job.body.home.source.path
        steps = {
            at: step.leaf.subject
            for at, by_code in sorted(frame.sites.items())
            for code, step in by_code.items()
            if code in (DURABLE, SENDS)
        }
        return Job(
            id=job.id,
            qualname=f"{job.body.home.source.name}.{facts.qualname}",
            location=location(path, facts.at),
            is_async=facts.is_async,
            queue=self._queue(decorator),
            steps=tuple(dict.fromkeys(steps.values())),
            step_places=tuple(location(path, at) for at in steps),
            objects=self._machine.durables.storable.objects_of(frame),
        )

    def _queue(self, decorator: JobDecorator | None) -> str:
        call = None if decorator is None else self._machine.sdk_calls.get((decorator.frame, decorator.at))
        if call is None:
            return ""
        direct = only_text(call.arguments.keyword("queue"))
        if direct is not None:
            return direct
        inside = [
            only_text(other.arguments.get(0, "name"))
            for other in self._machine.sdk_calls.values()
            if other.name == "Queue" and other.frame is call.frame and _contains(call.at, other.at)
        ]
        return next((name for name in inside if name), "")

    def _stop_if_stale(self) -> None:
        if self._is_stale():
            raise CheckStale


def closure_of_imports(sources: Iterable[SourceModule], modules: ModuleTable) -> list[SourceModule]:
    """Return modules with all that they import, directly or not."""
    return reachable(sources, lambda source: imported_by(source, modules))


def _files(sources: Iterable[SourceModule]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(source.path) for source in sources if source.path is not None))


def _rows(evaluated: Evaluated) -> Iterable[FunctionRows]:
    for frame in {*evaluated.called, *evaluated.reached}:
        if frame.function is not None:
            facts = frame.function.facts
            first, last = facts.rows
            file = str(frame.home.source.path or Path())
            yield FunctionRows(file, facts.index, first, last, in_body=frame in evaluated.reached)


def _contains(outer: int, inner: int) -> bool:
    return outer != inner and row_of(outer) <= row_of(inner) <= row_of(outer) + (outer >> 14 & 0xFFF)
