"""`workingDirectory`: VCL's VM Working Directory Path, a folder on a datastore."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from reconciler.facts import Datastore, Datastores, Facts, Folder, Place, Question, Unseen
from reconciler.kinds.model import Change, Difference, Fragment, Kind, Resource, Risk, Verdict, Wisher
from reconciler.kinds.paths import DatastorePath, datastore_of, parse_datastore_path
from reconciler.records import record
from reconciler.verbs import MakeFolder


def _path(text: str) -> str:
    parse_datastore_path(text)
    return text


class WorkingDirectoryWish(Fragment):
    """`spec.workingDirectory`."""

    working_directory: Annotated[str, AfterValidator(_path)] | None = Field(
        default=None,
        description="VCL's VM Working Directory Path; created when missing; in a profile ${name} is the host's name",
        examples=["[datastore1] ${name}"],
    )


@record
class WorkingDirectoryResource:
    """The folder, and those above it on the datastore."""

    path: DatastorePath
    name: str = "workingDirectory"
    place: tuple[str, ...] = ("workingDirectory",)

    def needs(self, facts: Facts) -> tuple[str, ...]:
        found = datastore_of(self.path, facts)
        name = found.name if isinstance(found, Datastore) else self.path.datastore
        return (f"datastore/{name}",)

    def asks(self, facts: Facts) -> Iterable[Question[Any]]:
        yield Datastores()
        found = datastore_of(self.path, facts)
        # asked along with the datastores, where that is safe
        reached = found.accessible if isinstance(found, Datastore) else Datastores() not in facts
        if reached and self.path.relative:
            yield Folder(self.path.absolute)

    def judge(self, facts: Facts) -> Verdict:
        found = datastore_of(self.path, facts)
        if isinstance(found, Unseen):
            return Verdict(unknown=found.why)
        if found is None:
            why = f"it has to stand on {self.path.datastore}, which is not there yet"
            return Verdict(changes=(self._create(why, awaits=f"datastore/{self.path.datastore}"),))
        if not found.accessible:
            return Verdict(unknown=f"the datastore {found.name} is not accessible")
        return self._standing(facts) if self.path.relative else Verdict()

    def _standing(self, facts: Facts) -> Verdict:
        place = facts.see(Folder(self.path.absolute))
        if isinstance(place, Unseen):
            return Verdict(unknown=place.why)
        if place is Place.FOLDER:
            return Verdict()
        if place is Place.OTHER:
            return Verdict(held=(f"a file is in the way at {self.path.absolute}, or above it",))
        return Verdict(changes=(self._create("there is no such folder"),))

    def _create(self, why: str, awaits: str | None = None) -> Change:
        wanted = (Difference("path", None, self.path.spelled),)
        actions = (MakeFolder(self.path.absolute),) if self.path.relative else ()
        return Change("create", Risk.SAFE, wanted, actions, why, self.place, awaits=awaits)


def resources(wish: WorkingDirectoryWish, wisher: Wisher) -> Iterable[Resource]:
    """The folder, when the spec names one."""
    if wish.working_directory is not None:
        yield WorkingDirectoryResource(parse_datastore_path(wish.working_directory))


KIND = Kind("workingDirectory", "", WorkingDirectoryWish, resources)
