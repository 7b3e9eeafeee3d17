"""The frame of the virtual environment in an image: a real interpreter, behind a new root, sees what is in it."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from bundler.cache import Cache
from bundler.layers.environment import Environment
from bundler.layers.scheme import Scheme
from bundler.layers.sdk_layer import sdk_layer
from bundler.layers.wheel_layer import wheel_layer
from bundler.model import Layer
from tests.fakes.layer_reading import files_of, members_of, tar_of
from tests.fakes.zips import made_wheel

HERE = (sys.version_info[0], sys.version_info[1])
VERSION = f"{HERE[0]}.{HERE[1]}"
ASK = (
    "import json, sys, sysconfig, trigger_sdk, pkg;"
    "print(json.dumps([sys.prefix, sys.base_prefix, sys.executable, sysconfig.get_path('purelib'),"
    " trigger_sdk.__file__, pkg.__file__, [p for p in sys.path if 'packages' in p]]))"
)


@pytest.fixture
def environment_scheme() -> Scheme:
    """Return the scheme of the environment in our images."""
    return Scheme.of_environment("/opt/trigger", HERE)


def unpack(layer: Layer, root: Path) -> None:
    """Put a layer into a folder, as an engine does."""
    root.mkdir(exist_ok=True)
    subprocess.run(["tar", "-x", "-C", root], input=tar_of(layer), check=True, timeout=60)


def test_frame_has_links_and_configuration(environment_scheme: Scheme, cache: Cache) -> None:
    """The interpreter's folder is named, its own packages are not taken, and every folder has an entry."""
    layer = sdk_layer(scheme=environment_scheme, cache=cache, base_python="/usr/local/bin/python3.11")
    members = members_of(layer)
    links = {name: member.linkname for name, member in members.items() if member.issym()}
    assert links == {
        "opt/trigger/bin/python": "/usr/local/bin/python3.11",
        "opt/trigger/bin/python3": "python",
        f"opt/trigger/bin/python{VERSION}": "python",
    }
    assert files_of(layer)["opt/trigger/pyvenv.cfg"][0].decode().splitlines() == [
        "home = /usr/local/bin", "include-system-site-packages = false", f"version = {VERSION}",
    ]  # fmt: skip
    folders = {name: (member.mode, member.uid) for name, member in members.items() if member.isdir()}
    assert {"opt", "opt/trigger", "opt/trigger/bin", f"opt/trigger/lib/python{VERSION}/site-packages"} <= set(folders)
    assert set(folders.values()) == {(0o755, 0)}


def test_frame_is_in_every_kind_of_sdk_layer(tmp_path: Path, environment_scheme: Scheme, cache: Cache) -> None:
    """Also in that of a wheel; without a base's interpreter there is none; another interpreter is another layer."""
    wheel = made_wheel(tmp_path, "trigger_sdk", {"trigger_sdk/__init__.py": b""})
    layers = [
        sdk_layer(wheel, scheme=environment_scheme, cache=cache, base_python=python)
        for python in ("/usr/bin/python3.11", "/usr/local/bin/python3", "")
    ]
    assert ["opt/trigger/pyvenv.cfg" in members_of(layer) for layer in layers] == [True, True, False]
    assert len({layer.blob.digest for layer in layers}) == 3
    again = sdk_layer(
        wheel, scheme=environment_scheme, cache=Cache(tmp_path / "cold"), base_python="/usr/bin/python3.11"
    )
    assert again.blob.digest == layers[0].blob.digest


def test_relative_interpreter_is_a_mistake(environment_scheme: Scheme) -> None:
    """A link in an image leads to a place in the image."""
    with pytest.raises(ValueError, match="absolute"):
        Environment(scheme=environment_scheme, base_python="python3")


@pytest.mark.parametrize("is_linked", [False, True], ids=["installed", "linked"])
def test_real_interpreter_sees_the_environment(
    tmp_path: Path, environment_scheme: Scheme, cache: Cache, missing_service: Callable[[str], NoReturn],
    *, is_linked: bool,
) -> None:  # fmt: skip
    """The base's interpreter, its standard library and its C library behind a new root: the layers come on top."""
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        missing_service("root and unshare")
    base = "/usr/local/bin/python3" if is_linked else f"/usr/local/bin/python{VERSION}"
    wheel = made_wheel(tmp_path, "pkg", {"pkg/__init__.py": b""})
    root = tmp_path / "root"
    unpack(wheel_layer([wheel], scheme=environment_scheme, cache=cache), root)
    unpack(sdk_layer(scheme=environment_scheme, cache=cache, base_python=base), root)
    real = Path(os.path.realpath(sys.executable))
    for folder in ("usr/local/bin", "usr/lib", "lib", "lib64", "etc", f"usr/local/lib/python{VERSION}"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    shutil.copy(real, root / f"usr/local/bin/python{VERSION}")
    (root / "usr/local/bin/python3").symlink_to(f"python{VERSION}")
    stdlib = Path(os.__file__).parent
    script = "".join(
        f"[ ! -e {source} ] || mount --rbind {source} {root}/{place}\n"
        for source, place in (
            *((f"/{name}", name) for name in ("usr/lib", "lib", "lib64", "etc")),
            (stdlib, f"usr/local/lib/python{VERSION}"),
        )
    )
    script += f'exec chroot --userspec 10001:10001 {root} /opt/trigger/bin/python -P -c "$ASK"\n'
    done = subprocess.run(
        ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script],
        env={"PATH": os.environ["PATH"], "ASK": ASK},
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    prefix, base_prefix, executable, purelib, sdk, package, path = json.loads(done.stdout)
    site = f"/opt/trigger/lib/python{VERSION}/site-packages"
    assert (prefix, base_prefix, executable) == ("/opt/trigger", "/usr/local", "/opt/trigger/bin/python")
    assert (purelib, path) == (site, [site])
    assert (sdk, package) == (f"{site}/trigger_sdk/__init__.py", f"{site}/pkg/__init__.py")
