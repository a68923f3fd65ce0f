"""The PropertyCollector: what is asked of which objects, and the values with the types that the API gives them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from reconciler.simulator.sdk.objects import gone, make, ref
from reconciler.simulator.sdk.soap import ApiFault, support
from reconciler.simulator.sdk.views import Views

TRAVERSAL: Any = support.GetWsdlType("urn:vim25", "TraversalSpec")
PAGE = 100
"""So many objects at most are in one answer; a token leads to the rest."""


class Collector:
    """Answers property calls, page by page."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._waiting: dict[str, list[Any]] = {}
        self._turn = 0

    def retrieve(self, specs: Any, most: int | None) -> Any:
        """A RetrieveResult. Raises ApiFault."""
        return self._page(self.all(specs), most or PAGE)

    def all(self, specs: Any) -> list[Any]:
        """What every object shows, on no page. Raises ApiFault."""
        shown = (self._content(spec, kind, moid) for spec in specs for kind, moid in self._objects(spec))
        return [it for it in shown if it is not None]

    def fetch(self, kind: str, moid: str, path: str) -> Any:
        """One property of one object. Raises ApiFault."""
        return self._value(kind, moid, path)

    def go_on(self, token: str) -> Any:
        """The next page. Raises ApiFault for a token that is none."""
        if token not in self._waiting:
            raise ApiFault(
                "InvalidArgument", "A specified parameter was not correct: token", invalidProperty="token"
            )
        return self._page(self._waiting.pop(token), PAGE)

    def _page(self, found: list[Any], most: int) -> Any:
        if not found:
            return None
        token = None
        if len(found) > most:
            self._turn += 1
            token = str(self._turn)
            self._waiting[token] = found[most:]
        return make("RetrieveResult", objects=found[:most], token=token)

    def _objects(self, spec: Any) -> Iterator[tuple[str, str]]:
        for wanted in spec.objectSet:
            kind, moid = wanted.obj._wsdlName, wanted.obj._moId
            if not wanted.skip:
                yield kind, moid
            for step in wanted.selectSet:
                if not isinstance(step, TRAVERSAL):
                    raise ApiFault("NotSupported", "a named selection is not simulated")
                below = self._value(kind, moid, step.path) or []
                yield from ((it._wsdlName, it._moId) for it in below)

    def _content(self, spec: Any, kind: str, moid: str) -> Any:
        own = support.GetWsdlType("urn:vim25", kind)
        fitting = next((it for it in spec.propSet if issubclass(own, it.type)), None)
        if fitting is None:
            return None
        if fitting.all:
            raise ApiFault("NotSupported", "all properties at once are not simulated")
        content = make("ObjectContent", obj=ref(kind, moid))
        for path in fitting.pathSet:
            try:
                value = self._value(kind, moid, path)
            except ApiFault as fault:
                if fault.name == "ManagedObjectNotFound" and spec.reportMissingObjectsInResults:
                    return None
                if fault.name != "NotSupported":
                    raise
                content.missingSet.append(make("MissingProperty", path=path, fault=fault.value()))
                continue
            if value is not None:
                content.propSet.append(make("DynamicProperty", name=path, val=value))
        return content

    def _value(self, kind: str, moid: str, path: str) -> Any:
        wanted = type_at(kind, path)
        try:
            value = self._views.value(kind, moid, path)
        except KeyError:
            raise gone(kind, moid) from None
        return typed(value, wanted)


def type_at(kind: str, path: str) -> Any:
    """The type that the API gives a property. Raises ApiFault for one that there is not."""
    found = support.GetWsdlType("urn:vim25", kind)
    for word in path.split("."):
        try:
            found = found._GetPropertyInfo(word).type
        except AttributeError:
            raise ApiFault("InvalidProperty", f"there is no {path}", name=path) from None
    return found


def typed(value: Any, wanted: Any) -> Any:
    """A list as an array of its type, a number in its size."""
    if value is None or isinstance(value, wanted):
        return value
    return wanted(value) if isinstance(value, (list, int)) else value
