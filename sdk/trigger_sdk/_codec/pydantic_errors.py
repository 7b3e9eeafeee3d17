"""pydantic's ValidationError, which has no constructor: it is made from the list of what was wrong."""

from __future__ import annotations

import sys
from typing import Any


def is_validation_error(cls: type) -> bool:
    """Tell whether a class is pydantic's ValidationError."""
    core = sys.modules.get("pydantic_core")
    return core is not None and cls is core.ValidationError


def lines_of(error: Any) -> list[dict[str, Any]]:
    """Return what was wrong, each with ``type``, ``loc``, ``msg``, ``input`` and perhaps ``ctx``."""
    lines: list[dict[str, Any]] = error.errors(include_url=False)
    return lines


def make_validation_error(title: str, lines: list[dict[str, Any]]) -> BaseException:
    """Return the error that has these lines.

    Raises:
        ValueError: the lines are not those of a ValidationError.
    """
    core = sys.modules.get("pydantic_core")
    if core is None:
        raise ValueError("pydantic is not loaded")
    error: BaseException = core.ValidationError.from_exception_data(title, [_detail(core, line) for line in lines])
    return error


def _detail(core: Any, line: dict[str, Any]) -> dict[str, Any]:
    detail = {"type": line["type"], "loc": line["loc"], "input": line.get("input")}
    if line.get("ctx"):
        detail["ctx"] = line["ctx"]
    try:
        core.ValidationError.from_exception_data("", [detail])
    except (KeyError, TypeError, ValueError):  # a type that a validator of the user's made up
        template = line["msg"].replace("{", "{{").replace("}", "}}")
        detail = {**detail, "type": core.PydanticCustomError(line["type"], template)}
        detail.pop("ctx", None)
    return detail
