"""The ids that people type: whole, abbreviated at either end, or `last`."""

from __future__ import annotations

from trigger_cli.api.client import Api
from trigger_cli.errors import AmbiguousRun, Refusal
from trigger_cli.rendering.values import format_time
from trigger_sdk.protocol.problem import Problem

LAST = "last"
PREFIX = "run_"
_SEARCHED = 1000
_SHOWN = 5
_NOT_FOUND = 404
_WHOLE = len(PREFIX) + 26


def resolve_run(api: Api, text: str) -> str:
    """Return the id of the run that ``text`` means: a whole id, ``last``, or a unique beginning or end of one.

    Beginnings and ends are looked for among the newest 1,000 runs.

    Raises:
        AmbiguousRun: more than one run has such an id.
        Refusal: no run has it.
    """
    if text.startswith(PREFIX) and len(text) >= _WHOLE:
        return text
    if text == LAST:
        newest = next(api.runs(limit=1), None)
        if newest is None:
            raise Refusal(
                Problem(
                    code="run-not-found",
                    message="There are no runs yet",
                    hint="start one: trigger run JOB --payload JSON",
                ),
                status=_NOT_FOUND,
            )
        return str(newest["id"])
    found = [run for run in api.runs(limit=_SEARCHED) if _matches(str(run["id"]), text)]
    exact = [run for run in found if run["id"] == text]
    if exact or len(found) == 1:
        return str((exact or found)[0]["id"])
    if not found:
        raise Refusal(
            Problem(
                code="run-not-found",
                message=f"No run has an id that begins or ends with {text!r}",
                hint="list them: trigger runs list",
            ),
            status=_NOT_FOUND,
        )
    lines = [f"{run['id']}  {run['job']}  {run['state']}  {format_time(run['created_at'])}" for run in found[:_SHOWN]]
    more = [f"and {len(found) - _SHOWN} more"] if len(found) > _SHOWN else []
    raise AmbiguousRun(
        f"{len(found)} runs have an id that begins or ends with {text!r}",
        detail="\n".join(lines + more),
        hint="give more of the id, or `last` for the newest run",
    )


def _matches(run_id: str, text: str) -> bool:
    if not text or text == PREFIX:
        return False
    folded, wanted = run_id.lower(), text.lower()
    return folded.startswith((wanted, PREFIX + wanted)) or folded.endswith(wanted)
