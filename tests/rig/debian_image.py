"""Makes a base image like ``python:3.11-slim`` of Debian's packages, and archives of packages for the apt inside.

No maintainer script is run: packages are laid over one another, and what their scripts would have written (users,
certificates, the status of dpkg) is written here. That takes seconds, needs no privilege beyond root's, and gives the
same bytes each time.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

PYTHON = "/usr/bin/python3.11"
"""The interpreter's place in the base."""

APT_FOLDER = "srv/apt"
"""Where the base has packages of the tests' own, which its apt takes as its only source."""

PACKAGES = tuple(
    line
    for line in Path(__file__).with_suffix(".packages").read_text().split("\n")
    if line and not line.startswith("#")
)

PROGRAMS = ("apt-get", "dpkg-deb", "tar")
"""What is needed to make it."""

OFFERED = (("greeting", "good day"), ("libpq5", "a library"), ("ffmpeg", "a film"))
"""Packages of the tests' own that its apt can install, by default, and what their programs say."""

_VERSION = "2"
"""Counts up when the base is made in another way from the same packages."""

_MERGED = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_ENV = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8", "PYTHON_VERSION=3.11.2"]


def missing_programs() -> list[str]:
    """Return which programs are not on PATH."""
    return [program for program in PROGRAMS if shutil.which(program) is None]


class NoPackages(Exception):
    """The packages cannot be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DebianBase:
    """A base image as files.

    Attributes:
        layer: a tar of its root, 90 MB.
        diff_id: digest of the tar.
        config: its OCI configuration.
        image_id: digest of that, which is its id in an engine.
        archive: what ``docker load`` takes.
        python: absolute path of its interpreter.
    """

    layer: Path
    diff_id: str
    config: bytes
    image_id: str
    archive: Path
    python: str = PYTHON


def debian_base(folder: Path, packages: Iterable[tuple[str, str]] = ()) -> DebianBase:
    """Return the base, made in a folder if it is not there.

    Args:
        folder: keeps packages and base, from run to run.
        packages: names of packages that its apt can install, and what they say: each brings ``/usr/bin/NAME``, which
            prints that.

    Raises:
        NoPackages: Debian's packages cannot be had.
    """
    wanted = tuple(packages)
    debs = _fetched(folder / "debs")
    key = hashlib.sha256(repr((_VERSION, [deb.name for deb in debs], wanted)).encode()).hexdigest()[:16]
    layer = folder / f"{key}.tar"
    if not layer.exists():
        for old in folder.glob("*.tar"):
            old.unlink()
        _make(layer, debs, wanted)
    return _described(layer)


def _fetched(folder: Path) -> list[Path]:
    """Return the packages' files, downloaded by apt when they are not there."""
    folder.mkdir(parents=True, exist_ok=True)
    command = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download"]
    listed = subprocess.run(
        [*command, "--print-uris", *PACKAGES], cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )
    if listed.returncode:
        update = subprocess.run(["apt-get", "-qq", "update"], capture_output=True, text=True, check=False, timeout=110)
        if update.returncode:
            raise NoPackages(update.stderr)
        listed = subprocess.run(
            [*command, "--print-uris", *PACKAGES], cwd=folder, capture_output=True, text=True, check=False, timeout=60
        )
        if listed.returncode:
            raise NoPackages(listed.stderr)
    names = sorted(line.split()[1] for line in listed.stdout.splitlines() if line)
    if not names:  # apt prints nothing for what is there already
        names = sorted(path.name for path in folder.glob("*.deb"))
    missing = [name for name in names if not (folder / name).exists()]
    if missing:
        got = subprocess.run(
            [*command, *PACKAGES], cwd=folder, capture_output=True, text=True, check=False, timeout=110
        )
        if got.returncode:
            raise NoPackages(got.stderr)
    return sorted(folder.glob("*.deb"))


def _make(layer: Path, debs: Iterable[Path], packages: Iterable[tuple[str, str]]) -> None:
    root = layer.with_suffix(".root")
    shutil.rmtree(root, ignore_errors=True)
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    status = []
    for deb in debs:
        _lay(deb, root)
        # Without what they depend on: not all of it is there, and apt would refuse to do anything else.
        fields = ("Package", "Architecture", "Version", "Maintainer", "Multi-Arch", "Provides", "Description")
        control = _output("dpkg-deb", "-f", str(deb), *fields)
        status.append(control.rstrip().replace("\n", "\nStatus: install ok installed\n", 1) + "\n")
    (root / "var/lib/dpkg").mkdir(parents=True, exist_ok=True)
    (root / "var/lib/dpkg/status").write_text("\n".join(status))
    _configure(root)
    _offer(root / APT_FOLDER, packages)
    partial = layer.with_suffix(".partial")
    subprocess.run(
        ["tar", "--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu",
         "-C", str(root), "-cf", str(partial), "."],
        check=True, timeout=110,
    )  # fmt: skip
    shutil.rmtree(root)
    partial.rename(layer)


def _lay(deb: Path, root: Path) -> None:
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as unpacking:
        subprocess.run(
            ["tar", "-x", "--keep-directory-symlink", "-C", str(root),
             *(f"--exclude=./usr/share/{name}" for name in ("doc", "man", "locale", "info", "lintian"))],
            stdin=unpacking.stdout, check=True, timeout=60,
        )  # fmt: skip
    assert unpacking.returncode == 0, deb


def _configure(root: Path) -> None:
    """Write what the maintainer scripts would have."""
    shutil.copy(root / "usr/share/base-passwd/passwd.master", root / "etc/passwd")
    shutil.copy(root / "usr/share/base-passwd/group.master", root / "etc/group")
    certificates = sorted((root / "usr/share/ca-certificates").rglob("*.crt"))
    bundle = root / "etc/ssl/certs/ca-certificates.crt"
    bundle.parent.mkdir(parents=True, exist_ok=True)
    bundle.write_bytes(b"".join(path.read_bytes() for path in certificates))
    openssl = root / "usr/lib/ssl"
    openssl.mkdir(exist_ok=True)
    for name, target in (("certs", "/etc/ssl/certs"), ("cert.pem", "/etc/ssl/certs/ca-certificates.crt")):
        (openssl / name).unlink(missing_ok=True)
        (openssl / name).symlink_to(target)
    (root / "tmp").mkdir(exist_ok=True)
    (root / "tmp").chmod(0o1777)
    for name in ("var/lib/apt/lists/partial", "var/cache/apt/archives/partial", "var/lib/dpkg/info", "proc", "sys"):
        (root / name).mkdir(parents=True, exist_ok=True)
    (root / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:/{APT_FOLDER} ./\n")


def _offer(folder: Path, packages: Iterable[tuple[str, str]]) -> None:
    """Make a folder that apt can install packages from."""
    folder.mkdir(parents=True)
    index = []
    for name, says in packages:
        source = folder / "source"
        (source / "DEBIAN").mkdir(parents=True)
        (source / "usr/bin").mkdir(parents=True)
        program = source / "usr/bin" / name
        program.write_text(f"#!/bin/sh\necho '{says}'\n")
        program.chmod(0o755)
        control = (
            f"Package: {name}\nVersion: 1.5-1\nArchitecture: all\nMaintainer: Tests <tests@example.com>\n"
            f"Depends: libc6\nDescription: says {says}\n"
        )
        (source / "DEBIAN/control").write_text(control)
        deb = folder / f"{name}_1.5-1_all.deb"
        _output("dpkg-deb", "--root-owner-group", "-Zgzip", "--build", str(source), str(deb))
        shutil.rmtree(source)
        content = deb.read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        index.append(f"{control}Filename: ./{deb.name}\nSize: {len(content)}\nSHA256: {digest}\n")
    (folder / "Packages").write_text("\n".join(index))


def _described(layer: Path) -> DebianBase:
    with layer.open("rb") as stream:
        diff_id = f"sha256:{hashlib.file_digest(stream, 'sha256').hexdigest()}"
    config = _json(
        {
            "architecture": _output("dpkg", "--print-architecture").strip(),
            "config": {"Env": _ENV, "Cmd": ["python3"]},
            "created": "1970-01-01T00:00:00Z",
            "history": [{"created": "1970-01-01T00:00:00Z", "created_by": "debian packages"}],
            "os": "linux",
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        }
    )
    name = hashlib.sha256(config).hexdigest()
    archive = layer.with_suffix(".load")
    partial = archive.with_suffix(f".{os.getpid()}.partial")
    write_docker_archive(partial, config, [layer])
    partial.rename(archive)  # another run of the tests may be reading it
    return DebianBase(layer=layer, diff_id=diff_id, config=config, image_id=f"sha256:{name}", archive=archive)


def write_docker_archive(archive: Path, config: bytes, layers: Iterable[Path], *, names: Iterable[str] = ()) -> None:
    """Write what ``docker load`` takes; layers are tars, packed or not."""
    with tarfile.open(archive, "w") as out:
        described: dict[str, object] = {"Config": "config.json", "RepoTags": list(names), "Layers": []}
        _add(out, "config.json", config)
        places = []
        for number, layer in enumerate(layers):
            places.append(f"layer-{number}.tar")
            out.add(layer, arcname=places[-1])
        _add(out, "manifest.json", _json([{**described, "Layers": places}]))


def _add(out: tarfile.TarFile, name: str, content: bytes) -> None:
    header = tarfile.TarInfo(name)
    header.size = len(content)
    out.addfile(header, io.BytesIO(content))


def _json(value: Mapping[str, object] | list[dict[str, object]]) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout
