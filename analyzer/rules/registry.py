"""All rules, by code, in the order of their codes."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from analyzer.rules import (
    trg101_network,
    trg102_filesystem,
    trg103_database,
    trg104_subprocess,
    trg105_environment,
    trg106_thread,
    trg107_blocking_sleep,
    trg108_global_state,
    trg109_exit,
    trg201_recorded_clock,
    trg202_recorded_random,
    trg203_recorded_machine,
    trg211_unrecorded_clock,
    trg212_unrecorded_random,
    trg301_unordered_iteration,
    trg302_object_identity,
    trg401_not_awaited,
    trg402_mutation_in_task,
    trg403_durable_in_task,
    trg404_job_called,
    trg405_swallowed_cancellation,
    trg406_not_encodable,
    trg407_unbounded_steps,
    trg501_duplicate_id,
    trg502_computed_id,
    trg503_invalid_id,
    trg504_invalid_cron,
    trg505_invalid_time_zone,
    trg506_invalid_queue,
    trg507_event_never_sent,
    trg901_syntax_error,
    trg902_unused_suppression,
    trg903_invalid_suppression,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analyzer.rules.rule import Rule

_MODULES: Final = (
    trg101_network,
    trg102_filesystem,
    trg103_database,
    trg104_subprocess,
    trg105_environment,
    trg106_thread,
    trg107_blocking_sleep,
    trg108_global_state,
    trg109_exit,
    trg201_recorded_clock,
    trg202_recorded_random,
    trg203_recorded_machine,
    trg211_unrecorded_clock,
    trg212_unrecorded_random,
    trg301_unordered_iteration,
    trg302_object_identity,
    trg401_not_awaited,
    trg402_mutation_in_task,
    trg403_durable_in_task,
    trg404_job_called,
    trg405_swallowed_cancellation,
    trg406_not_encodable,
    trg407_unbounded_steps,
    trg501_duplicate_id,
    trg502_computed_id,
    trg503_invalid_id,
    trg504_invalid_cron,
    trg505_invalid_time_zone,
    trg506_invalid_queue,
    trg507_event_never_sent,
    trg901_syntax_error,
    trg902_unused_suppression,
    trg903_invalid_suppression,
)

RULES: Final[Mapping[str, Rule]] = MappingProxyType({module.RULE.code: module.RULE for module in _MODULES})
"""Every rule."""
