"""What made an import of the project's code fail, read from the exception: a variable of the environment, above all."""

from __future__ import annotations

import os
import traceback
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_OS_FILES: Final = frozenset((os.__file__, "<frozen os>"))
_MOST: Final = 20


def causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and those that it was raised from or while handling, the last first."""
    current: BaseException | None = error
    for _ in range(_MOST):
        if current is None:
            return
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def missing_variables(error: BaseException) -> tuple[str, ...]:
    """Return the names of the environment variables whose absence an exception comes from; none for other faults.

    Those that ``os.environ[...]`` did not find, and those that a settings class of pydantic-settings asked for.
    """
    for each in causes(error):
        if isinstance(each, KeyError) and each.args and _is_of_environ(each):
            name = each.args[0]
            return (os.fsdecode(name),) if isinstance(name, (str, bytes)) else ()
        if type(each).__name__ == "ValidationError" and (names := _of_settings(each)):
            return names
    return ()


def _is_of_environ(error: KeyError) -> bool:
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_code.co_filename in _OS_FILES


def _of_settings(error: Any) -> tuple[str, ...]:
    """Return the variables that the required fields of a settings class are read from."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_globals.get("__name__") != "pydantic_settings.main" or frame.f_code.co_name != "__init__":
            continue
        settings = type(next(iter(frame.f_locals.values()), None))
        prefix = str(getattr(settings, "model_config", {}).get("env_prefix", ""))
        fields = [each["loc"] for each in error.errors() if each["type"] == "missing"]
        return tuple(f"{prefix}{loc[0]}".upper() for loc in fields if len(loc) == 1)
    return ()


def variables_in_words(names: tuple[str, ...]) -> str:
    """Return the beginning of a sentence: ``the environment variable STRIPE_KEY is not set``."""
    if len(names) == 1:
        return f"the environment variable {names[0]} is not set"
    return f"the environment variables {', '.join(names[:-1])} and {names[-1]} are not set"
