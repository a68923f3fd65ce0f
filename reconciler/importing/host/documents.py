"""Drafts as documents with comments. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from reconciler.importing.host.drafts import Draft, document
from reconciler.importing.host.sharing import shared
from reconciler.importing.host.trees import Tree, put
from reconciler.importing.writing import Noted

PROFILE = "shared"


def whole(drafts: Sequence[Draft]) -> list[Noted]:
    """The documents of hosts as they stand, each with what its host is."""
    return [_noted(draft, draft.spec) for draft in drafts]


def parted(drafts: Sequence[Draft]) -> tuple[Noted, list[Noted]]:
    """The document of a profile with what most hosts have, and those of the hosts, which build on it."""
    common = shared([draft.spec for draft in drafts])
    both = zip(drafts, common.hosts, strict=True)
    hosts = [_noted(draft, {"profile": PROFILE, **spec}) for draft, spec in both]
    profile = document("Profile", PROFILE, common.profile)
    return Noted(
        profile, f"what most of {len(drafts)} hosts have; the others say what they have instead"
    ), hosts


def _noted(draft: Draft, spec: Tree) -> Noted:
    for place, why in draft.why_null.items():
        spec = put(spec, place, Noted(None, why))
    return Noted(document("Host", draft.name, spec), draft.product)
