"""A plan as a Dockerfile: what changes seldom stands first, so that an engine's cache keeps it.

Packages, dependencies and the SDK come before the commands that may need them; the project comes after, so that a line
changed in it has nothing run again. Everything is written so that it means itself, whatever it holds: see
:mod:`bundler.docker.quoting` for values; commands stand in JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from bundler.docker.quoting import ARGUMENTS, LINE_END, has_lines, quoted
from bundler.docker.system_plan import SystemPlan
from bundler.model import Layer

FOLDER: Final = "layers"
"""Where the context of a build has its layers."""

_CLEAN: Final = (
    "apt-get clean",
    # Lists and logs are different on every day, and of no use in an image.
    "rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/cache/ldconfig/aux-cache /var/lib/dpkg/*-old",
    "rm -rf /var/cache/debconf/*-old /var/log/apt /var/log/dpkg.log /var/log/alternatives.log",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruction:
    """One instruction.

    Attributes:
        text: its line or lines.
        name: what it does, for people: ``install 2 system packages``.
        command: what is run, as its author wrote it; empty for one that runs nothing.
        where: who asked for it: ``run[0]``; empty when the plan itself did.
    """

    text: str
    name: str
    command: str = ""
    where: str = ""


def dockerfile(plan: SystemPlan) -> str:
    """Return the Dockerfile of a plan; its context has the layers in :data:`FOLDER`."""
    lines = ["# Made by `trigger build`: its layers are those of the build without an engine.\n"]
    if arguments_of(plan):
        lines.append(f"# Some values have several lines: build it with --build-arg {LINE_END}=$'\\n'\n")
    return "".join(lines) + "".join(f"{each.text}\n" for each in instructions(plan))


def arguments_of(plan: SystemPlan) -> Mapping[str, str]:
    """Return the arguments that the build of a plan needs, by their names."""
    return ARGUMENTS if _has_lines(plan) else {}


def place_of(layer: Layer) -> str:
    """Return the path of a layer in the context."""
    return f"{FOLDER}/{layer.blob.digest.partition(':')[2]}.tar.gz"


def instructions(plan: SystemPlan) -> tuple[Instruction, ...]:
    """Return the instructions of a plan, as an engine counts them."""
    return tuple(_instructions(plan))


def environment_instruction(env: Mapping[str, str]) -> Instruction:
    """Return the instruction that sets environment variables."""
    return Instruction(text=_pairs("ENV", env), name="set environment variables")


def labels_instruction(labels: Mapping[str, str]) -> Instruction:
    """Return the instruction that labels an image."""
    return Instruction(text=_pairs("LABEL", {f'"{name}"': value for name, value in labels.items()}), name="label")


def layer_instruction(layer: Layer) -> Instruction:
    """Return the instruction that unpacks a layer."""
    return Instruction(text=f"ADD {place_of(layer)} /", name=f"add {layer.name}")


def _instructions(plan: SystemPlan) -> Iterator[Instruction]:
    yield Instruction(text=f"FROM {plan.base}", name="take the base image")
    if _has_lines(plan):
        yield Instruction(text=f"ARG {LINE_END}", name="take the end of a line")
    yield Instruction(text="USER 0:0", name="become root")
    if plan.packages:
        yield _apt(plan.packages)
    yield from map(layer_instruction, (*plan.dependencies, plan.sdk))
    if plan.env:
        yield environment_instruction(plan.env)
    yield from _commands(plan)
    yield layer_instruction(plan.project)
    if plan.project_env:
        yield environment_instruction(plan.project_env)
    if plan.labels:
        yield labels_instruction(plan.labels)
    yield Instruction(text=f"WORKDIR {plan.working_dir}", name="enter the project's folder")
    yield Instruction(text=f"USER {plan.user}:{plan.group}", name="become the user of the jobs")
    # What the base says of its own program is not true of ours.
    yield Instruction(text="HEALTHCHECK NONE", name="forget the base's health check")
    yield Instruction(text="STOPSIGNAL SIGTERM", name="forget the base's signal")
    yield Instruction(text=f"ENTRYPOINT {_json(list(plan.entrypoint))}", name="set the entrypoint")


def _commands(plan: SystemPlan) -> Iterator[Instruction]:
    if not (plan.run or any(preset.modules for preset in plan.presets)):
        return
    yield Instruction(text="WORKDIR /", name="enter the root folder")
    for preset in plan.presets:
        for module in preset.modules:
            command = f"python -m {' '.join(module)}"
            words = [f"{plan.interpreter} -m {' '.join(module)}", *(_CLEAN if preset.uses_apt else ())]
            text = f"RUN {_json(['/bin/sh', '-c', ' && '.join(words)])}"
            yield Instruction(text=text, name=f"run '{command}'", command=command, where=f"the preset '{preset.name}'")
    for number, command in enumerate(plan.run):
        text = f"RUN {_json(['/bin/sh', '-c', command])}"
        yield Instruction(text=text, name=f"run '{command}'", command=command, where=f"run[{number}]")


def _apt(packages: tuple[str, ...]) -> Instruction:
    install = "DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"
    steps = ["apt-get update", " \\\n        ".join((install, *packages)), *_CLEAN]
    count = f"{len(packages)} system packages" if len(packages) > 1 else "a system package"
    return Instruction(
        text="RUN " + " \\\n    && ".join(steps),
        name=f"install {count}",
        command=f"apt-get install {' '.join(packages)}",
        where="apt",
    )


def _pairs(keyword: str, values: Mapping[str, str]) -> str:
    return f"{keyword} " + " \\\n    ".join(f"{name}={quoted(value)}" for name, value in values.items())


def _has_lines(plan: SystemPlan) -> bool:
    return has_lines(*plan.env.values(), *plan.project_env.values(), *plan.labels.values())


def _json(words: list[str]) -> str:
    return json.dumps(words, ensure_ascii=False)
