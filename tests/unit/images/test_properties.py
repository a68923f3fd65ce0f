"""Over any volumes, uses, repositories and wishes: nothing that counts is deleted, and room is never overcommitted."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from reconciler.image_facts import DiskUse, HalfCopy, ImageState
from reconciler.image_verbs import SetAside
from reconciler.kinds.images.setup import names
from reconciler.kinds.model import Risk
from tests.unit.images.worlds import MIB, Volumes, broken, plan_of, settle, whole, wish

NAMES = ("a-1-v1", "b-2-v1", "c-3-v1", "d-4-v1", "vmwarewinxp-verylongprettyname1234-v10")
FOLDERS = (
    *NAMES,
    "_delete_a-1-v1",
    "b-2-v1~",
    "c-3-v1_2gbsparse",
    "_delete_x-9-v1",
    "vmwarewinxp-verylongp1234-v10",
)

states = st.builds(
    lambda size, kind, at, machine, lock: _state(size * MIB, kind, at, machine, lock),
    st.integers(1, 40),
    st.sampled_from(["whole", "whole", "whole", "broken", "sparse"]),
    st.none() | st.integers(1, 9),
    st.sampled_from([False, False, False, True]),
    st.sampled_from([False, False, False, True]),
)


def _state(size: int, kind: str, at: int | None, machine: bool, lock: bool) -> ImageState:
    if kind == "broken":
        return broken(size=size)
    form = "twoGbMaxExtentSparse" if kind == "sparse" else "vmfs"
    machines = ("x.vmx",) if machine else ()
    return whole(size, form, modified=at, machines=machines, locked="x-flat.vmdk" if lock else None)


uses = st.builds(
    lambda name, running: DiskUse("vol-1", f"{name}/{name}.vmdk", "vm", running, running),
    st.sampled_from(NAMES),
    st.booleans(),
)
halves = st.builds(lambda name: HalfCopy(".reconciler-0123456789ab", name, name, MIB), st.sampled_from(NAMES))
volumes = st.builds(
    Volumes,
    disk=st.dictionaries(st.sampled_from(FOLDERS), states, max_size=7),
    repository=st.none() | st.dictionaries(st.sampled_from(NAMES), states, max_size=5),
    here=st.booleans(),
    reachable=st.sampled_from([True, True, True, False]),
    uses=st.lists(uses, max_size=2).map(tuple),
    blind=st.sampled_from([(), (), (), ("h2 can't be asked",)]),
    free=st.integers(0, 120).map(lambda size: size * MIB),
    halves=st.lists(halves, max_size=1).map(tuple),
    block=st.sampled_from([4096, MIB, 2 * MIB, 4 * MIB, 8 * MIB]),
    places=st.dictionaries(
        st.sampled_from(NAMES), st.frozensets(st.integers(0, 1599), min_size=1, max_size=40), max_size=3
    ),
    version=st.sampled_from([(4, 1, 0), (5, 5, 0), (6, 7, 0)]),
)
wished = st.dictionaries(
    st.sampled_from(NAMES),
    st.sampled_from([{}, {}, {"in": ["datastore", "repository"]}, {"protect": True}, "absent"]),
    max_size=4,
)
modes = st.sampled_from(["dedicated", "shared"])
allowed = st.sampled_from(list(Risk))


CROWDED = Volumes({"a-1-v1": whole()}, {"a-1-v1": whole(), "b-2-v1": whole(40 * MIB)}, free=50 * MIB)
SPARSE = Volumes({"a-1-v1": whole(form="twoGbMaxExtentSparse")}, {})
NARROW = Volumes({}, {"a-1-v1": whole(40 * MIB), "b-2-v1": whole(40 * MIB)}, free=60 * MIB)


SCATTERED = Volumes(
    {}, {"a-1-v1": whole()}, here=True, free=25 * MIB, places={"a-1-v1": frozenset(range(0, 1600, 16))}
)


def _spec(images: dict[str, Any], there: Volumes, mode: str) -> Any:
    return wish(images, there, mode=mode)


@given(volumes, wished, modes, allowed)
@example(CROWDED, {"b-2-v1": {}}, "dedicated", Risk.SERVICE)
@example(SPARSE, {"a-1-v1": {"in": ["datastore", "repository"]}}, "dedicated", Risk.SERVICE)
def test_nothing_that_counts_is_ever_set_aside_or_deleted(
    there: Volumes, images: dict[str, Any], mode: str, allow: Risk
) -> None:
    there = copy.deepcopy(there)
    before = copy.deepcopy(there)
    done = settle(_spec(images, there, mode), there, allow)
    for name in {it.room.folder.rpartition("/")[2] for it in done if isinstance(it, SetAside)}:
        state = before.disk[name]
        absent = any(name in names(image) and it == "absent" for image, it in images.items())
        assert not any(use.path.startswith(f"{name}/") for use in before.uses)
        assert not before.blind
        assert not state.machines
        assert state.locked is None
        assert name not in there.uncopied or (absent and allow is Risk.DATA)
        if not absent:
            assert mode == "dedicated" or not state.runnable
        if name in images and not absent:
            assert not (state.whole and state.runnable)


@given(volumes, wished, modes, allowed)
@example(NARROW, {"a-1-v1": {}, "b-2-v1": {}}, "shared", Risk.SAFE)
@example(SCATTERED, {"a-1-v1": {}}, "shared", Risk.SAFE)
def test_it_settles_and_never_overcommits(
    there: Volumes, images: dict[str, Any], mode: str, allow: Risk
) -> None:
    there = copy.deepcopy(there)
    # the model refuses a copy that finds no room
    settle(_spec(images, there, mode), there, allow)
    assert plan_of(_spec(images, there, mode), there, allow) == plan_of(
        _spec(images, there, mode), there, allow
    )


@given(volumes, wished, modes, st.integers(0, 4))
@example(Volumes({"a-1-v1": broken()}, {"a-1-v1": whole()}), {"a-1-v1": {}}, "shared", 1)
def test_a_pass_that_is_cut_after_any_verb_is_gone_on_with(
    there: Volumes, images: dict[str, Any], mode: str, cut: int
) -> None:
    there, undisturbed = copy.deepcopy(there), copy.deepcopy(there)
    settle(_spec(images, undisturbed, mode), undisturbed)
    settle(_spec(images, there, mode), there, verbs=cut)
    settle(_spec(images, there, mode), there)
    for name, state in undisturbed.disk.items():
        if name in images and images[name] != "absent" and state.whole and state.runnable:
            assert there.disk[name].whole
    assert {name for name in images if images[name] == "absent" and name in undisturbed.disk} == {
        name for name in images if images[name] == "absent" and name in there.disk
    }


@given(st.dictionaries(st.sampled_from(NAMES), st.integers(1, 9), min_size=1))
@example({"a-1-v1": 3})
def test_what_is_in_its_place_needs_nothing(sizes: dict[str, int]) -> None:
    there = Volumes({name: whole(size * MIB) for name, size in sizes.items()}, reachable=False, free=0)
    plan = plan_of(wish({name: {} for name in sizes}, there), there)
    assert not plan.steps
    assert not plan.held
    assert {note.resource for note in plan.unknown} == {"repository"}
