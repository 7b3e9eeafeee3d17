"""The user's project, for code that runs in it: finding it, its configuration, its job files and their import names."""

from __future__ import annotations

from trigger_sdk.protocol.errors import ProjectInvalid as ProjectInvalid
from trigger_sdk.protocol.project import Project as Project
from trigger_sdk.protocol.project import find_project as find_project
from trigger_sdk.protocol.project import job_files as job_files
from trigger_sdk.protocol.project import load_project as load_project
from trigger_sdk.protocol.project import module_name as module_name

__all__ = ["Project", "ProjectInvalid", "find_project", "job_files", "load_project", "module_name"]
