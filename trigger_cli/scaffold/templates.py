"""Project templates: data only. In a checkout they are in `templates/`, in a wheel in `trigger_cli/_templates/`."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from trigger_cli.errors import UnknownTemplate

DESCRIPTION_FILE = "template.toml"
DEFAULT = "hello"


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A project template.

    Attributes:
        name: its folder's name.
        folder: where it is.
        description: one line.
        next_steps: shell commands to show when the project is made, in order.
        files: what it brings, relative to ``folder``, sorted.
    """

    name: str
    folder: Path
    description: str
    next_steps: tuple[str, ...]
    files: tuple[PurePosixPath, ...]

    def read(self, file: PurePosixPath) -> bytes:
        """Return a file's content."""
        return (self.folder / file).read_bytes()


def templates_folder() -> Path:
    """Return the folder with all templates."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_templates"
    return installed if installed.is_dir() else package.parent / "templates"


def list_templates(folder: Path) -> list[Template]:
    """Return the templates in a folder: the default one first, then by name."""
    found = [_read(child) for child in folder.iterdir() if child.is_dir() and not child.name.startswith((".", "_"))]
    return sorted(
        (template for template in found if template.files),
        key=lambda template: (template.name != DEFAULT, template.name),
    )


def find_template(name: str, folder: Path) -> Template:
    """Return a template by name. Raises UnknownTemplate, with what was perhaps meant."""
    templates = {template.name: template for template in list_templates(folder)}
    if name in templates:
        return templates[name]
    from difflib import get_close_matches

    close = get_close_matches(name, templates, n=1)
    hint = (
        f"did you mean {close[0]!r}? all templates: {', '.join(templates)}"
        if close
        else f"choose one of: {', '.join(templates)}"
    )
    raise UnknownTemplate(f"There is no template {name!r}", hint=hint)


def _read(folder: Path) -> Template:
    description: dict[str, object] = {}
    path = folder / DESCRIPTION_FILE
    if path.is_file():
        description = tomllib.loads(path.read_text(encoding="utf-8"))
    steps = description.get("next_steps", [])
    lines = (
        steps.splitlines()
        if isinstance(steps, str)
        else [str(step) for step in steps if step]
        if isinstance(steps, list)
        else []
    )
    return Template(
        name=folder.name,
        folder=folder,
        description=str(description.get("description", "")),
        next_steps=tuple(line.rstrip() for line in lines if line.strip()),
        files=tuple(sorted(_files(folder))),
    )


def _files(folder: Path) -> list[PurePosixPath]:
    """Return what a template brings: no caches, no environments, nothing else that using the template left behind."""
    files = []
    for path in folder.rglob("*"):
        relative = PurePosixPath(path.relative_to(folder).as_posix())
        left_behind = any(part.startswith(".") or part == "__pycache__" for part in relative.parts[:-1])
        if path.is_file() and not left_behind and relative != PurePosixPath(DESCRIPTION_FILE) and path.suffix != ".pyc":
            files.append(relative)
    return files
