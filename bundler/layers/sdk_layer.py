"""The layer of trigger-sdk: from a wheel, or from the SDK that is installed beside the command line.

An installed one gives the same bytes however it was installed (from a wheel, editable, by whichever installer): the
package's sources, its METADATA, and an INSTALLER and RECORD of ours.
"""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, distribution
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bundler.errors import SdkNotFound
from bundler.layers.environment import Environment
from bundler.layers.layer_writer import MEDIA_TYPE, LayerWriter
from bundler.layers.reasons import reason
from bundler.layers.wheel_layer import INSTALLER, recorded, wheel_layer
from bundler.model import Layer

if TYPE_CHECKING:
    from bundler.cache import Cache
    from bundler.layers.bytecode import Compiler
    from bundler.layers.scheme import Scheme
    from bundler.model import Wheel

_KIND: Final = "sdk-1"
_DISTRIBUTION: Final = "trigger-sdk"
_PACKAGE: Final = "trigger_sdk"
_SOURCES: Final = frozenset((".py", ".pyi", ".typed"))


def sdk_layer(
    wheel: Wheel | None = None,
    *,
    scheme: Scheme,
    cache: Cache,
    compiler: Compiler | None = None,
    history: str = "",
    package: Path | None = None,
    base_python: str = "",
) -> Layer:
    """Return the layer of the SDK.

    Args:
        wheel: of trigger-sdk; None for the installed one.
        scheme: where things go.
        cache: keeps it.
        compiler: makes bytecode; None for none.
        history: names the project, to say why the layer was made anew.
        package: folder of the installed package; None to find it.
        base_python: absolute path of the base's interpreter, to have the frame of the virtual environment in the layer
            (``pyvenv.cfg``, links to that interpreter); empty where the scheme is no virtual environment's.

    Raises:
        SdkNotFound: it is not installed.
    """
    environment = Environment(scheme=scheme, base_python=base_python) if base_python else None
    if wheel is not None:
        return wheel_layer(
            [wheel], scheme=scheme, cache=cache, compiler=compiler, history=history, environment=environment
        )
    version, metadata = _metadata()
    contents = _contents(package if package is not None else _package(), scheme.purelib)
    folder = f"{scheme.purelib}/{_PACKAGE}-{version}.dist-info"
    contents[f"{folder}/INSTALLER"] = INSTALLER
    contents[f"{folder}/METADATA"] = metadata
    contents[f"{folder}/RECORD"] = _record(contents, scheme.purelib, f"{folder}/RECORD")
    digests = {place: hashlib.sha256(content).hexdigest() for place, content in contents.items()}
    settings = {"scheme": scheme.identity(), "bytecode": compiler.identity if compiler is not None else "none"}
    if environment is not None:
        settings["base's interpreter"] = base_python
    key = json.dumps([settings, digests], sort_keys=True)
    entry = cache.find(_KIND, key)
    why = reason(cache, history, "sdk", {**settings, **digests}, is_found=entry is not None)
    if entry is None:
        with cache.writer() as output:
            # Of a virtual environment that we make, the base has none of the folders.
            writer = LayerWriter(output, existing=scheme.existing if environment is None else ())
            if environment is not None:
                environment.add_to(writer)
            for place in sorted(contents):
                writer.file(place, contents[place])
            sources = [(place, contents[place]) for place in sorted(contents) if place.endswith(".py")]
            for bytecode in compiler.plain(sources) if compiler is not None else ():
                writer.file(bytecode.place, bytecode.content, stream=bytecode.stream)
            entry = output.commit(_KIND, key, {"diff_id": writer.finish()})
    name = f"{_DISTRIBUTION} {version}"
    return Layer(blob=entry.blob(MEDIA_TYPE), diff_id=entry.facts["diff_id"], name=name, reason=why)


def _metadata() -> tuple[str, bytes]:
    try:
        found = distribution(_DISTRIBUTION)
    except PackageNotFoundError as error:
        raise SdkNotFound("trigger-sdk is not installed") from error
    text = found.read_text("METADATA")
    if text is None:
        raise SdkNotFound("the installed trigger-sdk has no metadata")
    return found.version, text.encode()


def _package() -> Path:
    spec = find_spec(_PACKAGE)
    folders = list(spec.submodule_search_locations or ()) if spec is not None else []
    if len(folders) != 1:
        raise SdkNotFound("the package trigger_sdk is not in one folder")
    return Path(folders[0])


def _contents(package: Path, site: str) -> dict[str, bytes]:
    """Return the sources of the package by their places in the image."""
    try:
        found = {
            f"{site}/{_PACKAGE}/{path.relative_to(package).as_posix()}": path.read_bytes()
            for path in sorted(package.rglob("*"))
            if path.suffix in _SOURCES and path.is_file()
        }
    except OSError as error:
        raise SdkNotFound(f"trigger-sdk cannot be read: {error.strerror}", where=str(package)) from error
    if f"{site}/{_PACKAGE}/__init__.py" not in found:
        raise SdkNotFound("the installed trigger-sdk has no sources", where=str(package))
    return found


def _record(contents: dict[str, bytes], site: str, own: str) -> bytes:
    rows = [f"{place[len(site) + 1 :]},{recorded(content)},{len(content)}" for place, content in contents.items()]
    return "".join(f"{row}\n" for row in sorted([*rows, f"{own[len(site) + 1 :]},,"])).encode()
