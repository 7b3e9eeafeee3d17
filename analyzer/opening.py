"""Opens a project for checks, as the command line, the dev server and a deployment all do it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.cache import FactsCache
from analyzer.libraries import library_folders
from analyzer.session import CheckSession

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from analyzer.settings import CheckSettings
    from trigger_sdk.protocol.project import Project


def open_session(
    project: Project,
    settings: CheckSettings,
    *,
    environ: Mapping[str, str],
    import_path: Sequence[str],
    keep: bool = True,
) -> CheckSession:
    """Return a session for a project: with the packages that its code imports, and what earlier checks have kept.

    Args:
        project: the project.
        settings: what to report; see :func:`analyzer.settings.read_settings`.
        environ: environment variables.
        import_path: this process's ``sys.path``.
        keep: read and write what is kept in the project's ``.trigger`` between processes.
    """
    return CheckSession(
        project,
        settings,
        cache=project_cache(project) if keep else None,
        libraries=library_folders(project, environ, import_path),
    )


def project_cache(project: Project) -> FactsCache | None:
    """Return the cache of a project; None for a folder that is no project's: nothing is left behind there."""
    if project.config_file is None:
        return None
    folder = project.state_folder
    try:
        folder.mkdir(exist_ok=True)
        ignore = folder / ".gitignore"
        if not ignore.exists():
            ignore.write_text("*\n")
    except OSError:
        return None  # a checkout that cannot be written is checked all the same
    return FactsCache(folder / "cache" / "check")
