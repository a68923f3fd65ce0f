"""RetrievePropertiesEx of the PropertyCollector: many objects and properties in one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pyVmomi import vim as typed_vim
from pyVmomi import vmodl as typed_vmodl

from reconciler.transports.sdk.answers import translated
from reconciler.transports.sdk.properties import Row, Through, Want

vim: Any = typed_vim
Collector: Any = typed_vmodl.query.PropertyCollector


def filters(wants: Sequence[Want], host: Any) -> list[Any]:
    """One filter for each wish, so that one call answers all of them."""
    return [_filter(want, host) for want in wants]


def _filter(want: Want, host: Any) -> Any:
    properties = Collector.PropertySpec(type=getattr(vim, want.kind), all=False, pathSet=list(want.paths))
    return Collector.FilterSpec(
        propSet=[properties], objectSet=_objects(want, host), reportMissingObjectsInResults=True
    )


def _objects(want: Want, host: Any) -> list[Any]:
    through = Through(host, want.of) if isinstance(want.of, str) else want.of
    if isinstance(through, Through):
        step = Collector.TraversalSpec(
            name=through.path, type=type(through.start), path=through.path, skip=False
        )
        return [Collector.ObjectSpec(obj=through.start, skip=True, selectSet=[step])]
    several = want.of if isinstance(want.of, (list, tuple)) else [want.of]
    return [Collector.ObjectSpec(obj=each, skip=False) for each in several]


def authenticated(contents: list[Any]) -> list[Any]:
    """The same. Raises MethodFault when the session has expired, which may be said property by property instead of in
    answer to the call."""
    for each in contents:
        for missing in each.missingSet:
            fault = getattr(missing.fault, "fault", missing.fault)
            if isinstance(fault, vim.fault.NotAuthenticated):
                raise translated(fault)
    return contents


def row(content: Any) -> Row:
    """What the API says of one object."""
    values = {each.name: each.val for each in content.propSet}
    missing = {each.path: _reason(each.fault) for each in content.missingSet}
    return Row(content.obj, values, missing)


def _reason(fault: Any) -> str:
    inner = getattr(fault, "fault", fault)
    return getattr(fault, "localizedMessage", None) or getattr(inner, "msg", None) or type(inner).__name__
