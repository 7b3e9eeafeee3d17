"""Ids sort by the time they were made."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from engine.ids import SortableIds

ID = re.compile(r"(run|evt)_[0-9a-hjkmnp-tv-z]{26}")


def test_ids_have_their_form() -> None:
    """A word, an underscore and 26 characters."""
    ids = SortableIds()
    assert ID.fullmatch(ids.run(1_795_000_000.5))
    assert ID.fullmatch(ids.event(1_795_000_000.5))


@given(st.lists(st.floats(min_value=0, max_value=4e9), min_size=2))
def test_ids_of_one_maker_sort_in_order_of_making(times: list[float]) -> None:
    """Also within a millisecond and when the clock steps back."""
    ids = SortableIds()
    made = [ids.run(time) for time in times]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_ids_of_two_makers_sort_by_time() -> None:
    """A later process's ids come after those of an earlier one."""
    assert SortableIds().run(1000.000) < SortableIds().run(1000.001)
