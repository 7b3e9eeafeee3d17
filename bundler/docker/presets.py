"""Sets of system packages and commands that are known by a name."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from bundler.docker.errors import PresetUnusable

_NOTHING: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """What a name stands for.

    Attributes:
        name: as the settings have it.
        apt: Debian's packages.
        env: environment variables, there for its commands and in the image.
        modules: of Python, and their arguments, run as root with the image's interpreter after the dependencies.
        distribution: that must be locked, since a module is its; empty for none.
        uses_apt: whether its modules run apt themselves.
    """

    name: str
    apt: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    modules: tuple[tuple[str, ...], ...] = ()
    distribution: str = ""
    uses_apt: bool = False


PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        preset.name: preset
        for preset in (
            Preset(name="ffmpeg", apt=("ffmpeg",)),
            Preset(name="libpq", apt=("libpq5",)),
            Preset(
                name="playwright",
                # Not below the home folder of whoever installs it: jobs run as somebody else.
                env=MappingProxyType({"PLAYWRIGHT_BROWSERS_PATH": "/opt/playwright"}),
                # Its own list of system packages fits its version, and the Debian that it finds.
                modules=(("playwright", "install", "--with-deps", "chromium"),),
                distribution="playwright",
                uses_apt=True,
            ),
        )
    }
)


def presets_of(names: Sequence[str], distributions: Collection[str]) -> tuple[Preset, ...]:
    """Return the presets of some names, each once, in the order of their names.

    Args:
        names: some of :data:`PRESETS`.
        distributions: normalised names of what the image will have installed.

    Raises:
        PresetUnusable: the distribution that one needs is not among them.
    """
    found = [PRESETS[name] for name in sorted(set(names))]
    for preset in found:
        if preset.distribution and preset.distribution not in distributions:
            raise PresetUnusable(
                f"the preset '{preset.name}' needs the distribution {preset.distribution}, which is not locked",
                hint=f"Add {preset.distribution} to the project's dependencies and lock them, or leave the preset out.",
            )
    return tuple(found)
