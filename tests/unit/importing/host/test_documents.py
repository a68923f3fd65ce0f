"""Documents of live hosts, as they are written."""

from __future__ import annotations

from typing import Any

from reconciler.importing.host.documents import parted, whole
from reconciler.importing.host.drafts import Draft
from reconciler.importing.writing import text
from reconciler.plan import Note


def draft(name: str, **spec: Any) -> Draft:
    return Draft(name, {"address": name, **spec}, {}, {}, "VMware ESXi 6.7.0, build 1")


def test_a_document_tells_what_its_host_is_and_why_something_is_taken_back() -> None:
    one = Draft(
        "h1",
        {"address": "h1", "profile": "p", "datastores": {"old": None}},
        {"datastores": {"old": {}}},
        {"datastore/old": ("datastores", "old"), "ssh": ("ssh", "enabled")},
        "VMware ESXi 6.7.0, build 1",
        (Note("datastore/old", "it is not there"), Note("ssh", "no answer")),
    )
    assert text(whole([one])) == (
        "# VMware ESXi 6.7.0, build 1\n"
        "apiVersion: reconciler/v1\n"
        "kind: Host\n"
        "metadata:\n"
        "  name: h1\n"
        "spec:\n"
        "  address: h1\n"
        "  profile: p\n"
        "  datastores:\n"
        "    old: null  # it is not there\n"
    )


def test_what_most_hosts_have_goes_to_a_profile() -> None:
    profile, hosts = parted(
        [draft("a", ssh={"enabled": True}), draft("b", ssh={"enabled": True}), draft("c")]
    )
    assert text([profile]) == (
        "# what most of 3 hosts have; the others say what they have instead\n"
        "apiVersion: reconciler/v1\n"
        "kind: Profile\n"
        "metadata:\n"
        "  name: shared\n"
        "spec:\n"
        "  ssh:\n"
        "    enabled: true\n"
    )
    assert text(hosts[2:]) == (
        "# VMware ESXi 6.7.0, build 1\n"
        "apiVersion: reconciler/v1\n"
        "kind: Host\n"
        "metadata:\n"
        "  name: c\n"
        "spec:\n"
        "  profile: shared\n"
        "  address: c\n"
        "  ssh: null\n"
    )
