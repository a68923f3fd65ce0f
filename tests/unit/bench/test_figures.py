"""The bench's medians, lines and tables."""

from __future__ import annotations

import pytest

from bench.lab.figures import Cost, cells, fit, median, ratio, table


def test_the_median_is_taken_of_each_figure_for_itself() -> None:
    costs = [Cost(1.0, 9.0, 0.0, 30.0), Cost(5.0, 1.0, 2.0, 10.0), Cost(2.0, 5.0, 1.0, 20.0)]
    assert median(costs) == Cost(2.0, 5.0, 1.0, 20.0)


def test_a_straight_line_is_found_as_it_is() -> None:
    line = fit([100, 250, 500, 1000], [2 + 0.01 * count for count in (100, 250, 500, 1000)])
    assert line.base == pytest.approx(2)
    assert line.slope == pytest.approx(0.01)
    assert line.r2 == pytest.approx(1)
    assert line.exponent < 1


@pytest.mark.parametrize("power", [1, 2])
def test_the_exponent_tells_quadratic_from_linear(power: int) -> None:
    counts = [100, 250, 500, 1000]
    assert fit(counts, [3 * count**power for count in counts]).exponent == pytest.approx(power)


def test_what_does_not_grow_is_a_line_too() -> None:
    line = fit([1, 2, 3], [5, 5, 5])
    assert (line.base, line.slope, line.r2, line.exponent) == (5, 0, 1, 0)


def test_what_is_no_line_is_told_by_r2() -> None:
    assert fit([1, 2, 3, 4], [1, 9, 1, 9]).r2 < 0.5


def test_a_table_is_markdown_and_aligned() -> None:
    assert table(("", "wall"), [("ssh", "1.20 s"), ("reconcile", "0.9 s")]) == (
        "|           |   wall |\n| --------- | -----: |\n| ssh       | 1.20 s |\n| reconcile |  0.9 s |\n"
    )


def test_a_table_without_rows_has_its_head() -> None:
    assert table(("a", "b"), []) == "| a   |   b |\n| --- | --: |\n"


def test_rows_of_another_width_than_the_head_are_refused() -> None:
    with pytest.raises(ValueError, match="argument 2"):
        table(("a", "b"), [("only one",)])


def test_a_cost_is_shown_by_host_and_in_mebibytes() -> None:
    assert cells(Cost(12.345, 2.0, 0.5, 3 << 20), 200) == ("12.35 s", "2.00 s", "10.00 ms", "0.50 s", "3 MiB")


def test_nothing_can_be_told_against_nothing() -> None:
    assert (ratio(3, 2), ratio(3, 0)) == ("1.50", "-")
