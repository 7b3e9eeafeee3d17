"""A user's project on disk, imported as a worker imports it."""

from __future__ import annotations

import importlib
import sys
import textwrap
from pathlib import Path
from types import ModuleType

from trigger_sdk._runtime import instrument
from trigger_sdk.protocol.project import Project, load_project


class UserProject:
    """Writes modules into a folder, and imports them instrumented or plain.

    Args:
        root: an empty folder.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        (root / "trigger.toml").touch()
        self._modules_before = set(sys.modules)
        self._path_before = list(sys.path)
        sys.path.insert(0, str(root))

    @property
    def project(self) -> Project:
        """The project as it is configured now."""
        return load_project(self.root)

    def write(self, path: str, source: str = "") -> Path:
        """Write a file below the root; the source may be indented."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(source))
        return file

    def configure(self, toml: str) -> Project:
        """Write trigger.toml and return the project."""
        self.write("trigger.toml", toml)
        return self.project

    def instrument(self) -> None:
        """Have modules instrumented that are imported from now on."""
        instrument.install(self.project)

    def load(self, name: str) -> ModuleType:
        """Import a module anew."""
        for loaded in [key for key in sys.modules if key == name or key.startswith(name + ".")]:
            del sys.modules[loaded]
        importlib.invalidate_caches()
        return importlib.import_module(name)

    def module(self, source: str, name: str = "subject") -> ModuleType:
        """Write ``source`` as a top-level module and import it instrumented."""
        self.write(f"{name}.py", source)
        self.instrument()
        return self.load(name)

    def close(self) -> None:
        """Leave the interpreter as it was."""
        instrument.uninstall()
        new = {name: sys.modules[name] for name in set(sys.modules) - self._modules_before}
        # A namespace looks its parent up when its path is asked for: find all places before anything is taken away.
        places = {
            name: [getattr(module, "__file__", None), *getattr(module, "__path__", ())] for name, module in new.items()
        }
        for name, found in places.items():
            if any(str(place).startswith(str(self.root)) for place in found):
                del sys.modules[name]
        sys.path[:] = self._path_before
        sys.path_importer_cache.pop(str(self.root), None)
