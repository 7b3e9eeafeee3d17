"""The frame of the virtual environment in an image: a real interpreter, behind a new root, sees what is in it."""

import json
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
from tests.fakes.image_root import BASE_PYTHON, VERSION, ImageRoot
from tests.fakes.layer_reading import files_of, members_of
from tests.fakes.zips import made_wheel

HERE = (sys.version_info[0], sys.version_info[1])
ASK = (
    "import json, sys, sysconfig, trigger_sdk, pkg;"
    "print(json.dumps([sys.prefix, sys.base_prefix, sys.executable, sysconfig.get_path('purelib'),"
    " trigger_sdk.__file__, pkg.__file__, [p for p in sys.path if 'packages' in p]]))"
)


@pytest.fixture
def environment_scheme() -> Scheme:
    """Return the scheme of the environment in our images."""
    return Scheme.of_environment("/opt/trigger", HERE)


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


@pytest.mark.parametrize("base", [BASE_PYTHON, "/usr/local/bin/python3"], ids=["file", "link"])
def test_real_interpreter_sees_the_environment(
    tmp_path: Path, environment_scheme: Scheme, cache: Cache, missing_service: Callable[[str], NoReturn], base: str
) -> None:
    """The base's interpreter behind a new root, to which the layers were added, run by a user without a name."""
    root = ImageRoot(tmp_path / "root", missing_service)
    wheel = made_wheel(tmp_path, "pkg", {"pkg/__init__.py": b""})
    root.unpack(wheel_layer([wheel], scheme=environment_scheme, cache=cache))
    root.unpack(sdk_layer(scheme=environment_scheme, cache=cache, base_python=base))
    done = root.run(["/opt/trigger/bin/python", "-P", "-c", ASK])
    assert done.returncode == 0, done.stderr
    prefix, base_prefix, executable, purelib, sdk, package, path = json.loads(done.stdout)
    site = f"/opt/trigger/lib/python{VERSION}/site-packages"
    assert (prefix, base_prefix, executable) == ("/opt/trigger", "/usr/local", "/opt/trigger/bin/python")
    assert (purelib, path) == (site, [site])
    assert (sdk, package) == (f"{site}/trigger_sdk/__init__.py", f"{site}/pkg/__init__.py")
