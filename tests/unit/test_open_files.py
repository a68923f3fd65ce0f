"""How many connections may be open."""

from __future__ import annotations

import resource
from collections.abc import Iterator

import pytest

from reconciler import open_files


@pytest.fixture(autouse=True)
def few() -> Iterator[None]:
    """The soft limit is 600 for the time of a test."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (600, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


def test_one_kind_gets_a_third_at_most() -> None:
    assert open_files.at_most(2000) == 200
    assert open_files.at_most(50) == 50


def test_the_limit_is_raised_and_a_higher_one_is_left_alone() -> None:
    open_files.raise_limit()
    raised = resource.getrlimit(resource.RLIMIT_NOFILE)
    assert raised[0] > 600
    open_files.raise_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE) == raised
