"""Hosts of which the same is to be said are shown as one, and nothing is lost by it."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.faults import FaultKind
from reconciler.kinds.model import Difference, Source
from reconciler.plan import Note
from reconciler.render.groups import ADDRESS, ALIKE, NAME, Group, groups
from reconciler.render.markdown import to_markdown
from reconciler.render.paint import Paint
from reconciler.render.text import to_text
from reconciler.render.values import map_texts
from reconciler.report import Action, FaultReport, HeldReport, HostReport, Report, Status, StepReport

TEXTS = st.lists(
    st.sampled_from(["{own}", "{at}", "/", ".", "-", " ", "x", "esx-1", NAME, ADDRESS, "}", "{"]), max_size=4
).map("".join)


@st.composite
def said(draw: st.DrawFn) -> HostReport:
    """What is said of a host, with `{own}` and `{at}` where its name and address are to be put."""
    step = st.builds(
        StepReport,
        resource=TEXTS,
        verb=st.just("create"),
        risk=st.just("safe"),
        fields=st.builds(lambda text: (Difference("path", None, text),), TEXTS),
        actions=st.builds(lambda text: (Action(text, (text,)),), TEXTS),
        needs=st.just(()),
        why=TEXTS,
        source=st.just(Source("profiles.yaml", 3)),
    )
    held = st.builds(HeldReport, TEXTS, TEXTS, st.none() | step)
    fault = st.builds(FaultReport, st.just(FaultKind.REFUSED), TEXTS, TEXTS)
    return draw(
        st.builds(
            HostReport,
            st.just(""),
            st.just(""),
            st.sampled_from([Status.DRIFTED, Status.HELD]),
            steps=st.lists(step, max_size=2).map(tuple),
            held=st.lists(held, max_size=1).map(tuple),
            unknown=st.lists(st.builds(Note, TEXTS, TEXTS), max_size=1).map(tuple),
            fault=st.none() | fault,
        )
    )


def of(host: HostReport, name: str, address: str) -> HostReport:
    """The same said of the host of that name."""
    own = map_texts(host, lambda text: text.replace("{own}", name).replace("{at}", address))
    return replace(own, name=name, address=address)


def alone(group: Group, host: HostReport) -> HostReport:
    """What a group says, read as said of this one of its hosts."""
    if group.single:
        return group.said
    own = map_texts(group.said, lambda text: text.replace(NAME, host.name).replace(ADDRESS, host.address))
    return replace(own, name=host.name, address=host.address)


NAMES = st.lists(st.sampled_from(["esx-1", "esx-10", "x", "name", "a.b", "own"]), unique=True, max_size=6)
NUMBERED = replace(
    of(HostReport("", "", Status.DRIFTED), "", ""),
    unknown=(Note("host", "{own} ({at}:22), esx-1.x, xesx-1, {own}."),),
)


@given(st.lists(said(), min_size=1, max_size=2), NAMES, st.booleans())
@example([NUMBERED], ["esx-1", "esx-10", "x", "name"], True)
@example([replace(NUMBERED, unknown=(Note("host", "{own} {name}"),))], ["esx-1", "esx-10", "name"], True)
def test_what_a_group_says_is_what_each_of_its_hosts_would_say_alone(
    patterns: list[HostReport], names: list[str], addressed: bool
) -> None:
    hosts = [
        of(patterns[at % len(patterns)], name, f"10.0.0.{at}" if addressed else name)
        for at, name in enumerate(sorted(names))
    ]
    found = groups(hosts)
    assert sorted(host.name for group in found for host in group.hosts) == sorted(names)
    for group in found:
        assert [alone(group, host) for host in group.hosts] == list(group.hosts)
    text, marked = to_text(Report(True, tuple(hosts)), Paint()), to_markdown(Report(True, tuple(hosts)))
    assert all(name in text and name in marked for name in names)


def drifted(number: int, **changes: object) -> HostReport:
    step = StepReport("ssh", "update", "safe", (), (), (), "it is off", Source("hosts.yaml", number))
    host = HostReport(f"esx-{number:04}", f"10.0.0.{number}", Status.DRIFTED, steps=(step,))
    return replace(host, **changes)  # type: ignore[arg-type]


def test_two_hosts_alike_are_shown_by_themselves_and_three_as_one() -> None:
    hosts = [drifted(number) for number in range(1, ALIKE + 1)]
    assert [group.single for group in groups(hosts[:-1])] == [True] * (ALIKE - 1)
    (group,) = groups(hosts)
    assert group.said.steps[0].source == Source("hosts.yaml", 0)
    assert to_text(Report(True, tuple(hosts)), Paint()).startswith(
        "3 hosts  drifted\n"
        "  esx-0001, esx-0002, esx-0003\n"
        "  ~ update ssh  risk safe  hosts.yaml (each host's own line)\n"
    )


def test_a_host_of_which_anything_else_is_said_stands_by_itself() -> None:
    hosts = [drifted(number) for number in range(1, 5)]
    changed = [
        drifted(5, observe_only=True),
        drifted(6, in_sync=("placement",)),
        drifted(7, status=Status.FAILED),
        drifted(8, findings=(Note("host", "it is old"),)),
        # a text that looks like a stand-in is the host's own
        *(drifted(number, findings=(Note("host", NAME),)) for number in (9, 10, 11)),
    ]
    assert [len(group.hosts) for group in groups([*hosts, *changed])] == [4, 1, 1, 1, 1, 1, 1, 1]


def test_a_dead_rack_is_a_few_lines() -> None:
    hosts = [
        HostReport(
            f"esx-{number}",
            f"10.0.0.{number}",
            Status.UNREACHABLE,
            fault=FaultReport(
                FaultKind.UNREACHABLE, f"esx-{number} (10.0.0.{number}:22) is silent", "look at it"
            ),
        )
        for number in range(100, 200)
    ]
    text = to_text(Report(True, tuple(hosts)), Paint())
    assert "x unreachable: {name} ({address}:22) is silent" in text
    assert text.count("\n") < 20


def test_what_needs_a_person_stands_nearest_to_the_summary() -> None:
    calm = [HostReport(f"a-{number}", "10.0.0.1", Status.IN_SYNC) for number in range(6)]
    text = to_text(Report(True, (*calm, drifted(1))), Paint())
    assert text.index("6 hosts in sync") < text.index("esx-0001") < text.index("7 hosts (")
    # a comment that is too long is cut at its end
    marked = to_markdown(Report(True, (*calm, drifted(1))))
    assert marked.index("<summary><code>esx-0001</code>") < marked.index("6 hosts: in-sync")
