"""A root file system like that of an image, made of this machine's Python, in which processes run without an engine.

The interpreter is a copy, its standard library and the C library are mounted from here, all read-only. What the process
sees is what layers have put there.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Final, NoReturn

from bundler.model import Layer
from tests.fakes.layer_reading import tar_of

VERSION: Final = f"{sys.version_info[0]}.{sys.version_info[1]}"
BASE_PYTHON: Final = f"/usr/local/bin/python{VERSION}"
NOTHING: Final[Mapping[str, str]] = MappingProxyType({})
SITE: Final = f"opt/trigger/lib/python{VERSION}/site-packages"


class ImageRoot:
    """A root file system in a folder.

    Args:
        folder: a new folder.
        missing_service: is called when this machine does not allow it.
    """

    def __init__(self, folder: Path, missing_service: Callable[[str], NoReturn]) -> None:
        if os.geteuid() != 0 or shutil.which("unshare") is None:
            missing_service("root and unshare")
        self.folder = folder
        for place in ("usr/local/bin", "usr/lib", "lib", "lib64", "dev", "tmp", f"usr/local/lib/python{VERSION}"):
            (folder / place).mkdir(parents=True)
        shutil.copy(os.path.realpath(sys.executable), folder / BASE_PYTHON.lstrip("/"))
        (folder / "usr/local/bin/python3").symlink_to(f"python{VERSION}")

    def unpack(self, layer: Layer) -> None:
        """Put a layer on top, with its owners."""
        subprocess.run(
            ["tar", "-x", "--numeric-owner", "--same-owner", "-C", self.folder],
            input=tar_of(layer), check=True, timeout=60,
        )  # fmt: skip

    def install(self, *packages: str) -> None:
        """Put packages of this environment among the image's."""
        for name in packages:
            module = sys.modules[name].__file__
            assert module is not None
            shutil.copytree(Path(module).parent, self.folder / SITE / name)

    def run(
        self, command: Sequence[str], *, user: int = 10_001, environment: Mapping[str, str] = NOTHING
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command in it, in ``/app``, read-only, without a ``/proc``, as a user that has no name."""
        stdlib = Path(os.__file__).parent
        mounts = [("/usr/lib", "usr/lib"), ("/lib", "lib"), ("/lib64", "lib64"), ("/dev", "dev")]
        lines = [f"mount --bind {self.folder} {self.folder}"]
        lines += [f"[ ! -e {source} ] || mount --rbind {source} {self.folder}/{place}" for source, place in mounts]
        lines += [
            f"mount --bind {stdlib} {self.folder}/usr/local/lib/python{VERSION}",
            f"mount -o remount,bind,ro {self.folder}/usr/local/lib/python{VERSION}",
            f"mount -o remount,bind,ro {self.folder}",
            f'exec chroot --userspec {user}:{user} {self.folder} "$@"',
        ]
        return subprocess.run(
            ["unshare", "--mount", "--propagation", "private", "sh", "-ec", "\n".join(lines), "sh", *command],
            env={"PATH": "/opt/trigger/bin:/usr/sbin:/usr/bin:/bin", **environment},
            stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=60,
        )  # fmt: skip
