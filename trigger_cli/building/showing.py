"""What a build says: to people on standard error, as an object for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from bundler.files.listing import shown_size
from trigger_cli.rendering.problems import render_problem
from trigger_cli.rendering.text import one_line

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from bundler.build import Built
    from bundler.image.model import Image
    from bundler.model import Layer
    from bundler.plan import Plan
    from trigger_cli.building.options import BuildOptions
    from trigger_cli.terminal import Terminal


def say_plan(terminal: Terminal, plan: Plan) -> None:
    """Say what is odd about the files, before anything takes long."""
    for note in plan.selection.notes:
        terminal.say("\n".join(render_problem(note, palette=terminal.err_palette, label="warning")))


def say_built(
    terminal: Terminal,
    options: BuildOptions,
    built: Built,
    sources: Mapping[str, str],
    took: Sequence[tuple[str, float]],
) -> None:
    """Say what a build noticed, and what the options ask for."""
    for warning in built.warnings:
        terminal.say("\n".join(render_problem(warning, palette=terminal.err_palette, label="warning")))
    for note in built.notes:
        terminal.say(f"{terminal.err_palette.yellow('note:')} {one_line(note)}")
    if options.explain:
        for image in built.bundle.images:
            _say("".join(f"{line}\n" for line in explained(image)), terminal)
    if options.verbose:
        for host, source in sorted(sources.items()):
            terminal.say(f"credentials for {host}: {one_line(source)}")
        for title, seconds in took:
            terminal.say(f"{title}: {seconds:.2f} s")


def explained(image: Image) -> list[str]:
    """Return a line for the base and each layer upon it: what it is, its size, and why it was made anew."""
    size = sum(layer.size for layer in image.base.layers)
    rows = [
        (f"base {image.base.name}", size, "as it is"),
        *((each.name, each.blob.size, _why(each)) for each in image.layers),
    ]
    width = max(len(name) for name, _, _ in rows)
    sizes = [shown_size(amount) for _, amount, _ in rows]
    column = max(map(len, sizes))
    lines = [f"{name:<{width}}  {shown:>{column}}  {why}" for (name, _, why), shown in zip(rows, sizes, strict=True)]
    return [f"{image.platform}", *(f"  {line}" for line in lines)]


def result_object(built: Built, reference: str) -> dict[str, Any]:
    """Return what a program may want to know."""
    return {
        "reference": reference,
        "digest": built.bundle.digest,
        "jobs": [job.id for job in built.index.jobs],
        "images": [_image_object(image) for image in built.bundle.images],
        "warnings": [warning.to_dict() for warning in built.warnings],
        "notes": list(built.notes),
    }


def _image_object(image: Image) -> dict[str, Any]:
    return {
        "platform": str(image.platform),
        "digest": image.manifest.digest,
        "base": {"name": image.base.name, "digest": image.base.digest},
        "layers": [
            {"name": each.name, "digest": each.blob.digest, "size": each.blob.size, "reason": each.reason}
            for each in image.layers
        ],
    }


def _why(layer: Layer) -> str:
    return f"made anew: {one_line(layer.reason)}" if layer.reason else "as it was"


def _say(text: str, terminal: Terminal) -> None:
    terminal.say(text.rstrip("\n"))
