"""The time axis: order, bounds and folds."""

from hypothesis import given
from hypothesis import strategies as st

from trigger_cli.rendering.scale import make_scale, render_axis
from trigger_cli.rendering.style import UNICODE

spans = st.lists(st.tuples(st.floats(0, 1e6), st.floats(0, 1e6)).map(lambda span: (min(span), max(span))), max_size=20)


@given(busy=spans, width=st.integers(12, 200), moments=st.lists(st.floats(-10, 1e6 + 10), min_size=2, max_size=20))
def test_time_grows_to_the_right(busy: list[tuple[float, float]], width: int, moments: list[float]) -> None:
    """A later moment never stands left of an earlier one, and none stands outside."""
    scale = make_scale(0.0, 1e6, busy, width)
    places = [scale.column(moment) for moment in sorted(moments)]
    assert places == sorted(places)
    assert all(-1e-6 <= place <= width + 1e-6 for place in places)
    assert len(render_axis(scale, UNICODE)) == width


@given(busy=spans, start=st.floats(-10, 1e6), length=st.floats(0, 1e6), width=st.integers(12, 200))
def test_bar_is_inside_and_visible(busy: list[tuple[float, float]], start: float, length: float, width: int) -> None:
    """Every bar has at least one column and stays on the axis."""
    first, columns = make_scale(0.0, 1e6, busy, width).bar(start, start + length)
    assert columns >= 1
    assert 0 <= first < first + columns <= width


def test_long_waits_are_folded() -> None:
    """Half a second of work around five idle minutes gets most of the axis."""
    scale = make_scale(0, 300.5, [(0, 0.25), (300.25, 300.5)], 60)
    folded = [stretch for stretch in scale.stretches if stretch.folded]
    assert [(stretch.start, stretch.end) for stretch in folded] == [(0.25, 300.25)]
    assert scale.column(0.25) == 24
    assert "╱ 5m ╱" in render_axis(scale, UNICODE)


def test_short_waits_are_not_folded() -> None:
    """A wait that is as long as the work leaves the axis linear, with ticks."""
    scale = make_scale(0, 4, [(0, 2)], 60)
    assert len(scale.stretches) == 1
    assert "┬1s" in render_axis(scale, UNICODE)


def test_axis_of_no_time() -> None:
    """A run that took no time at all has an axis still."""
    scale = make_scale(5, 5, [], 20)
    assert scale.bar(5, 5) == (0, 1)
