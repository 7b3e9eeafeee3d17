"""The import hook: the project's modules are compiled instrumented, all others are imported as ever.

A finder in front of ``sys.meta_path`` lets the other finders find a module, and puts its own loader in the place of the
plain one if the source belongs to the project. So namespace packages, editable installs and ``importlib.reload`` work
as they do without it. Modules that somebody loads by file name (``spec_from_file_location``) or through a loader of his
own are not instrumented.
"""

from __future__ import annotations

import ast
import builtins
import contextlib
import os
import sys
from importlib.machinery import ModuleSpec, SourceFileLoader
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, Any, Final

from trigger_sdk._runtime import bytecode_cache, recorded_calls
from trigger_sdk._runtime.rewrite import PICK, UNWRAP, WRAP, instrument
from trigger_sdk._runtime.scope import current_scope

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

    from trigger_sdk.protocol.project_model import Project

_INSERTED: Final = {PICK: recorded_calls.pick, WRAP: recorded_calls.wrap, UNWRAP: recorded_calls.unwrap}


def compile_instrumented(source: Any, path: str, *, optimize: int = -1) -> CodeType:
    """Compile a module's source (bytes, text or a tree) as project code.

    Raises:
        SyntaxError: as ``compile`` raises it.
    """
    with contextlib.suppress(SyntaxError, RecursionError):
        tree = source if isinstance(source, ast.Module) else ast.parse(source, path)
        return compile(instrument(tree), path, "exec", dont_inherit=True, optimize=optimize)
    # A text that is wrong: let the compiler say so about the text as it stands. Or one nested so deeply that its tree
    # cannot be handled from Python: data, which calls nothing.
    code: CodeType = _call_with_frames_removed(compile, source, path, "exec", dont_inherit=True, optimize=optimize)
    return code


class InstrumentingLoader(SourceFileLoader):
    """Loads a module of the project."""

    def source_to_code(self, data: Any, path: Any, *, _optimize: int = -1) -> CodeType:  # type: ignore[override]
        """Compile ``data`` instrumented."""
        return compile_instrumented(data, os.fsdecode(path), optimize=_optimize)

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module outside any run: an import in a body happens once a process, not once a replay."""
        token = current_scope.set(None)
        try:
            super().exec_module(module)
        finally:
            current_scope.reset(token)

    def get_code(self, fullname: str) -> CodeType | None:
        """Return the module's code, from the cache if it is there for this very source."""
        path = self.get_filename(fullname)
        source = self.get_data(path)
        cached = bytecode_cache.cache_path(path)
        with contextlib.suppress(OSError, ValueError, EOFError, TypeError):
            code = bytecode_cache.unpack(self.get_data(cached), source, path)
            if code is not None:
                return code
        code = self.source_to_code(source, path)
        if not sys.dont_write_bytecode:
            # Writes atomically, and is silent where it may not write.
            self.set_data(cached, bytecode_cache.pack(code, source))
        return code


class InstrumentingFinder:
    """Finds modules as the other finders do, and has those of one project loaded instrumented."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec that the other finders give, with our loader if the module is the project's."""
        if path is not None and not any(map(self._may_hold_sources, path)):
            return None  # a submodule of somebody else's package
        for finder in list(sys.meta_path):
            find_spec = None if finder is self else getattr(finder, "find_spec", None)
            spec = find_spec(fullname, path, target) if find_spec is not None else None
            if spec is not None:
                return self._instrumented(spec)
        return None

    def invalidate_caches(self) -> None:
        """Do nothing: there are no caches here."""

    def _may_hold_sources(self, folder: str) -> bool:
        return self._project.is_project_file(os.path.join(folder, "x.py"))  # noqa: PTH118 - hot on every import

    def _instrumented(self, spec: ModuleSpec) -> ModuleSpec:
        # Other loaders (assertion rewriting, type checkers) do something of their own with the source.
        if type(spec.loader) is SourceFileLoader and spec.origin and self._project.is_project_file(spec.origin):
            spec.loader = InstrumentingLoader(spec.loader.name, spec.loader.path)
        return spec


def install(project: Project) -> None:
    """Have the modules of ``project`` that are imported from now on instrumented. Replaces an earlier project."""
    uninstall()
    for name, function in _INSERTED.items():
        setattr(builtins, name, function)
    sys.meta_path.insert(0, InstrumentingFinder(project))


def uninstall() -> None:
    """Import everything as ever. Modules that are instrumented stay so, and go on to work."""
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, InstrumentingFinder)]


def _call_with_frames_removed(function: Any, *args: Any, **kwargs: Any) -> Any:
    return function(*args, **kwargs)


def _pass_for_import_machinery(function: Any) -> None:
    """Let the frames of ``function`` count as the import system's own.

    The interpreter takes those out of a traceback, by their file name and down to ``_call_with_frames_removed``.
    Without this a SyntaxError in a project module would show a dozen lines of ``importlib`` before the error.
    """
    if isinstance(function, FunctionType):
        function.__code__ = function.__code__.replace(co_filename="<frozen importlib._bootstrap_external>")


for _function in (
    compile_instrumented,
    _call_with_frames_removed,
    InstrumentingLoader.exec_module,
    InstrumentingLoader.source_to_code,
    InstrumentingLoader.get_code,
    InstrumentingFinder.find_spec,
):
    _pass_for_import_machinery(_function)
