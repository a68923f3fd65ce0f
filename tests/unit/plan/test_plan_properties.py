"""What holds for every plan, whatever is wished, seen, not seen, and allowed."""

from __future__ import annotations

from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.facts import (
    AuthorizedKeys,
    Datastores,
    Facts,
    Folder,
    Identity,
    KeysFile,
    Machines,
    NetworkState,
    Persistence,
    Question,
    SavedState,
    SessionKey,
    ShellTimeout,
    SshService,
    SshState,
    Unseen,
)
from reconciler.kinds.model import Resource, Risk
from reconciler.plan import Plan, make_plan
from reconciler.verbs import (
    AddPortGroup,
    AddSwitch,
    KeysVerb,
    MakeFolder,
    MountNfs,
    MovePortGroup,
    RemountNfs,
    RewriteKeys,
    SetSshPolicy,
    SetVlan,
    StartSsh,
    StopSsh,
    UnmountNfs,
    Verb,
)
from tests.unit.kinds.worlds import filled, keys, rules, wished
from tests.unit.plan.hosts import Host, hosts, specs

UNSEEN = Unseen("no answer")
KEYS = ("{K}", "{ADMIN}", "{NISTP}", "# words")
key_texts = st.lists(st.sampled_from([*KEYS, 'from="10.0.0.1" {K}']), max_size=4).map(
    lambda lines: "".join(f"{filled(line)}\n" for line in lines).encode()
)
ssh_specs = st.fixed_dictionaries(
    {"authorizedKeys": st.lists(st.sampled_from(KEYS[:3]), max_size=2)},
    optional={"enabled": st.booleans(), "exclusiveKeys": st.booleans(), "persistKeys": st.booleans()},
)
all_specs = st.tuples(specs, st.fixed_dictionaries({}, optional={"ssh": ssh_specs})).map(
    lambda pair: filled({**pair[0], **pair[1]})
)
PATH = "/etc/ssh/keys-root/authorized_keys"


@st.composite
def looks(draw: st.DrawFn) -> Facts:
    """What is seen of a random host: some of it not."""
    answers: dict[Question[Any], Any] = {
        SshState(): draw(st.builds(SshService, st.booleans(), st.booleans())),
        ShellTimeout(): draw(st.sampled_from([0, 900])),
        AuthorizedKeys(): KeysFile(PATH, draw(key_texts | st.none()), draw(st.booleans())),
        SessionKey(): draw(st.sampled_from([keys()["K"], keys()["ADMIN"], None])),
        Persistence(): SavedState(
            draw(st.sampled_from(["/vmfs/volumes/1", "/tmp"])), draw(key_texts | st.none())
        ),
    }
    seen = draw(hosts()).facts().with_answers(answers)
    blind = (
        draw(st.sets(st.sampled_from(sorted(seen, key=str)), max_size=3)) if draw(st.booleans()) else set()
    )
    return seen.with_answers(dict.fromkeys(blind, UNSEEN))


def planned(spec: dict[str, Any], seen: Facts, allow: Risk) -> tuple[tuple[Resource, ...], Plan]:
    resources = wished(spec)
    return resources, make_plan(resources, seen, rules(allow))


TAKEN = Host({"beta": "/one", "gamma": "/two"}, machines=[("gamma", "")]).facts()
SPEC = {
    "datastores": {"alpha": {"nfs": {"server": "filer", "path": "/one"}}, "beta": "absent"},
    "workingDirectory": "[alpha] vms",
    "portGroups": {"Private": {"vswitch": "vSwitch1"}, "Public": {"vswitch": "vSwitch1"}},
}
any_plan = given(all_specs, looks(), st.sampled_from(Risk))
pinned = example(SPEC, TAKEN, Risk.SERVICE)
often = settings(deadline=None)


@any_plan
@pinned
@often
def test_each_wish_is_accounted_for(spec: dict[str, Any], seen: Facts, allow: Risk) -> None:
    resources, plan = planned(spec, seen, allow)
    drifted = {step.resource for step in plan.steps}
    trouble = {it.resource for it in plan.held} | {it.resource for it in plan.unknown}
    names = {resource.name for resource in resources}
    assert len(plan.in_sync) == len(set(plan.in_sync))
    assert trouble.isdisjoint(plan.in_sync)
    owed = {step.resource for step in plan.steps if step.change.differences[0].field == "saved"}
    assert (drifted - owed).isdisjoint(plan.in_sync)
    left = names - drifted - trouble - set(plan.in_sync)
    # the root of a datastore that this plan mounts is made by the mount, and has no step of its own
    assert left <= {"workingDirectory"}
    assert not left or {f"datastore/{spec['workingDirectory'].strip('[]')}"} <= drifted
    assert drifted | trouble | set(plan.in_sync) <= names


@any_plan
@pinned
@often
def test_each_step_may_be_done_when_its_turn_comes(spec: dict[str, Any], seen: Facts, allow: Risk) -> None:
    plan = planned(spec, seen, allow)[1]
    blocked = {it.resource for it in plan.held} | {it.resource for it in plan.unknown}
    # a backup that is owed for an earlier pass comes when all is done, and nothing stands on it
    places = ["" if step.change.differences[0].field == "saved" else step.resource for step in plan.steps]
    for at, step in enumerate(plan.steps):
        assert step.actions
        assert step.change.risk <= allow
        assert blocked.isdisjoint(step.needs)
        assert all(need not in places[at:] for need in step.needs)
    stages = [step.change.stage for step in plan.steps]
    assert stages == sorted(stages)


@any_plan
@pinned
@often
def test_the_same_look_gives_the_same_plan(spec: dict[str, Any], seen: Facts, allow: Risk) -> None:
    other = Facts(dict(reversed(list(seen.items()))))
    assert planned(spec, seen, allow)[1] == planned(spec, other, allow)[1]


@given(all_specs, looks())
@example(SPEC, TAKEN)
@often
def test_what_was_not_seen_is_not_written_to(spec: dict[str, Any], seen: Facts) -> None:
    def writes(*questions: Question[Any]) -> tuple[Verb, ...]:
        plan = planned(spec, seen.with_answers(dict.fromkeys(questions, UNSEEN)), Risk.DATA)[1]
        return tuple(verb for step in plan.steps for verb in step.change.actions)

    folders = [question for question in seen if isinstance(question, Folder)]
    network = (AddSwitch, AddPortGroup, MovePortGroup, SetVlan)
    assert not any(isinstance(it, (UnmountNfs, RemountNfs)) for it in writes(Machines()))
    assert not any(
        isinstance(it, (MountNfs, RemountNfs, UnmountNfs, MakeFolder)) for it in writes(Datastores())
    )
    assert not any(isinstance(it, (MountNfs, RemountNfs)) for it in writes(Identity()))
    assert not any(isinstance(it, network) for it in writes(NetworkState()))
    assert not any(isinstance(it, KeysVerb) for it in writes(AuthorizedKeys()))
    assert not any(isinstance(it, RewriteKeys) for it in writes(SessionKey()))
    assert not any(isinstance(it, (StartSsh, StopSsh, SetSshPolicy)) for it in writes(SshState()))
    made = {it.path for it in writes(*folders) if isinstance(it, MakeFolder)}
    assert made.isdisjoint(question.path for question in folders)


@any_plan
@pinned
@often
def test_the_key_of_the_session_is_never_removed(spec: dict[str, Any], seen: Facts, allow: Risk) -> None:
    session = seen.see(SessionKey())
    blob = session.split()[1].encode() if isinstance(session, str) else b""
    verbs = [verb for step in planned(spec, seen, allow)[1].steps for verb in step.actions]
    for verb in verbs:
        if isinstance(verb, RewriteKeys):
            assert not isinstance(session, Unseen)
            assert not blob or verb.old.count(blob) == verb.new.count(blob)


@any_plan
@pinned
@often
def test_a_change_of_the_saved_configuration_ends_with_a_backup(
    spec: dict[str, Any], seen: Facts, allow: Risk
) -> None:
    verbs = [verb for step in planned(spec, seen, allow)[1].steps for verb in step.actions]
    kinds = [type(verb).__name__ for verb in verbs]
    changing = [at for at, verb in enumerate(verbs) if verb.saved]
    if changing:
        assert "SaveConfiguration" in kinds[changing[-1] :]
        assert kinds[changing[0] - 1] == "OweBackup"
    parts = " ".join(kinds).split("SaveConfiguration")
    assert all(part.count("OweBackup") <= 1 for part in parts)
    assert ("OweBackup" in kinds) == bool(changing)
    assert "StopSsh" not in kinds[:-1]
