"""The profile of `make soak`: the same tests, with many more examples."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("soak", max_examples=1000, deadline=None, print_blob=True)
