"""Requirements files as pip reads them: continued lines, comments, nested files, constraints, hashes."""

from __future__ import annotations

import hashlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packaging.requirements import InvalidRequirement, Requirement

from bundler.locks.errors import LockInvalid
from bundler.locks.fields import checked_sha256, normalised, read_bytes
from bundler.model import Digest

_COMMENT: Final = re.compile(r"(^|\s+)#.*$")
_OPTION: Final = re.compile(r"\s+(?=--?[a-zA-Z])")
_GLUED: Final = re.compile(r"^(-[rceif])(?=[^\s=-])")
_MAX_FILES: Final = 200
_NESTED: Final = {"-r": "requirement", "--requirement": "requirement", "-c": "constraint", "--constraint": "constraint"}
_EDITABLE: Final = frozenset({"-e", "--editable"})
_WITH_VALUE: Final = frozenset({
    "-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-binary", "--only-binary", "--trusted-host",
    "--use-feature",
})  # fmt: skip
_ALONE: Final = frozenset({"--no-index", "--pre", "--prefer-binary", "--require-hashes"})


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """One requirement.

    Attributes:
        name: normalised; empty for a path or an address without a name.
        text: as it is written, without its options.
        version: that it is pinned to with ``==``; empty when it is not.
        sha256s: of the files that may be installed; empty when it has no hashes.
        has_hashes: whether there are hashes, of whatever kind.
        is_local: whether it is a path, or editable: those have no hash.
        where: file and line.
    """

    name: str
    text: str
    version: str = ""
    sha256s: frozenset[str] = frozenset()
    has_hashes: bool = False
    is_local: bool = False
    where: str = ""


@dataclass(slots=True, kw_only=True)
class RequirementsFile:
    """A requirements file with all those that it includes.

    Attributes:
        path: the file.
        lines: its requirements, in order.
        constraints: what it constrains without requiring it.
        files: all that were read, each once.
        requires_hashes: whether it says so.
    """

    path: Path
    lines: list[RequirementLine] = field(default_factory=list)
    constraints: list[RequirementLine] = field(default_factory=list)
    files: dict[Path, bytes] = field(default_factory=dict)
    requires_hashes: bool = False

    @property
    def digest(self) -> Digest:
        """Return the digest of all that was read, in order, whatever folder it is in."""
        found = hashlib.sha256()
        for content in self.files.values():
            found.update(len(content).to_bytes(8) + content)
        return f"sha256:{found.hexdigest()}"

    @property
    def is_hashed(self) -> bool:
        """Tell whether all requirements must have hashes: as with pip, one that has them is enough for that."""
        return self.requires_hashes or any(line.has_hashes for line in self.lines)

    @property
    def is_pinned(self) -> bool:
        """Tell whether each requirement names its version, its address or its path."""
        return all(line.version or line.is_local or "@" in line.text for line in self.lines)

    def hashes(self) -> dict[str, frozenset[str]]:
        """Return the hashes by name; those of a name that is there several times (with markers) together.

        Raises:
            LockInvalid: a requirement has none while others have.
        """
        found: dict[str, frozenset[str]] = {}
        for line in self.lines:
            if line.is_local:
                continue
            if not line.sha256s:
                what = "only hashes that are not sha256" if line.has_hashes else "no hash, while others have some"
                hint = "Make the file anew with hashes: `uv export` or `pip-compile --generate-hashes`."
                raise LockInvalid(f"'{line.text}' has {what}", hint=hint, where=line.where)
            found[line.name] = found.get(line.name, frozenset()) | line.sha256s
        return found


def read_requirements_file(path: Path) -> RequirementsFile:
    """Read a requirements file and those that it includes.

    Raises:
        LockNotFound: one cannot be read.
        LockInvalid: a line cannot be understood.
    """
    found = RequirementsFile(path=path)
    _read(found, path, read_bytes(path), is_constraint=False)
    return found


def requirements_of(content: bytes, path: Path) -> RequirementsFile:
    """Return what a text says, as if it were in a file."""
    found = RequirementsFile(path=path)
    _read(found, path, content, is_constraint=False)
    return found


def _read(into: RequirementsFile, path: Path, content: bytes, *, is_constraint: bool) -> None:
    into.files[path] = content
    if len(into.files) > _MAX_FILES:
        raise LockInvalid(f"more than {_MAX_FILES} files include each other", where=str(path))
    for number, text in _logical_lines(content, path):
        where = f"{path}:{number}"
        text = _GLUED.sub(r"\1 ", text)  # noqa: PLW2901  # the same option, as it is mostly written
        first, _, rest = text.partition(" ") if " " in text.partition("=")[0] else text.partition("=")
        if not text.startswith("-"):
            line = _requirement(text, where)
            (into.constraints if is_constraint else into.lines).append(line)
        elif first in _NESTED:
            nested = _place(path, _value(rest, where), where)
            if nested not in into.files:
                constrains = is_constraint or _NESTED[first] == "constraint"
                _read(into, nested, read_bytes(nested), is_constraint=constrains)
        elif first in _EDITABLE:
            into.lines.append(RequirementLine(name="", text=text, is_local=True, where=where))
        elif first == "--require-hashes":
            into.requires_hashes = True
        elif first not in _WITH_VALUE | _ALONE:
            raise LockInvalid(f"'{first}' is no option of a requirements file", where=where)


def _logical_lines(content: bytes, path: Path) -> Iterator[tuple[int, str]]:
    """Yield lines without comments, those that end in a backslash together with the next; with the number of each."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LockInvalid(f"the file is no text in UTF-8: {error}", where=str(path)) from None
    held, began = "", 0
    for number, line in enumerate(text.splitlines(), start=1):
        began = began or number
        if line.endswith("\\") and not line.lstrip().startswith("#"):
            held += line[:-1].strip() + " "
            continue
        whole = _COMMENT.sub("", held + line.strip()).strip()
        if whole:
            yield began, whole
        held, began = "", 0
    if held.strip():
        yield began, _COMMENT.sub("", held).strip()


def _requirement(text: str, where: str) -> RequirementLine:
    bare, *options = _OPTION.split(text)
    sha256s: frozenset[str] = frozenset()
    has_hashes = False
    for option in options:
        name, _, value = option.replace(" ", "=", 1).partition("=")
        if name == "--hash":
            algorithm, _, digits = value.strip().partition(":")
            has_hashes = True
            sha256s |= checked_sha256(digits, where) if algorithm == "sha256" else frozenset()
        elif name not in {"--config-settings", "--config-setting", "-C", "--global-option"}:
            raise LockInvalid(f"'{name}' is no option of a requirement", where=where)
    try:
        parsed = Requirement(bare)
    except InvalidRequirement as error:
        if "/" in bare or bare.endswith((".whl", ".tar.gz", ".zip")) or bare.startswith("."):
            return RequirementLine(
                name="", text=bare, is_local=True, sha256s=sha256s, has_hashes=has_hashes, where=where
            )
        raise LockInvalid(f"'{bare[:200]}' is no requirement: {str(error).splitlines()[0]}", where=where) from None
    pins = [one.version for one in parsed.specifier if one.operator in {"==", "==="} and not one.version.endswith("*")]
    return RequirementLine(
        name=normalised(parsed.name, where), text=bare, version=pins[0] if len(pins) == 1 else "", sha256s=sha256s,
        has_hashes=has_hashes, is_local=(parsed.url or "").startswith("file:"), where=where,
    )  # fmt: skip


def _value(text: str, where: str) -> str:
    try:
        words = shlex.split(text.strip().removeprefix("="))
    except ValueError:
        words = []
    if len(words) != 1:
        raise LockInvalid("an option without its one value", where=where)
    return words[0]


def _place(path: Path, value: str, where: str) -> Path:
    if "://" in value:
        hint = "Fetch it, keep it beside the project and include it from there."
        raise LockInvalid(f"'{value.partition('?')[0]}' is included over the network", hint=hint, where=where)
    return (path.parent / value).resolve()
