"""Wheels of what is installed beside the tests: real ones, without asking an index."""

from importlib.metadata import distribution
from pathlib import Path

from bundler.model import Wheel
from tests.fakes.zips import made_wheel

_WRITTEN_BY_INSTALLERS = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")


def installed_wheel(folder: Path, name: str) -> Wheel:
    """Return a wheel with the files of an installed distribution, machine code and all; its programs are left out."""
    found = distribution(name)
    files = {
        str(file): Path(str(file.locate())).read_bytes()
        for file in found.files or ()
        if ".." not in file.parts and "__pycache__" not in file.parts and file.name not in _WRITTEN_BY_INSTALLERS
    }
    return made_wheel(folder, name.replace("-", "_"), files, version=found.version, is_pure=False)
