"""Hypothesis profiles: `quick` is what `make test` runs, `soak` the same properties with many more examples."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# no deadline: a machine under load is no fault of the code
settings.register_profile("quick", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", max_examples=1000, deadline=None, print_blob=True)
settings.load_profile("quick")
