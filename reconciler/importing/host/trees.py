"""Specs as plain values: maps, lists and scalars. Nothing here changes what it is given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from reconciler.desired.nodes import Node, Place

Tree = dict[str, Any]


def plain(node: Node) -> Any:
    """What stands in a node and below."""
    if isinstance(node.value, dict):
        return {key: plain(child) for key, child in node.value.items()}
    if isinstance(node.value, list):
        return [plain(child) for child in node.value]
    return node.value


def get(tree: Any, place: Place) -> Any:
    """What stands at a place; None: nothing."""
    for part in place:
        if isinstance(tree, dict):
            tree = tree.get(part)
        elif isinstance(tree, list) and isinstance(part, int) and part < len(tree):
            tree = tree[part]
        else:
            return None
    return tree


def is_null(tree: Any, place: Place) -> bool:
    """Whether null stands at a place."""
    above = get(tree, place[:-1])
    return isinstance(above, dict) and place[-1] in above and above[place[-1]] is None


def put(tree: Mapping[str, Any], place: tuple[str, ...], value: Any) -> Tree:
    """With `value` at a place, and maps on the way to it."""
    first, *rest = place
    below = tree.get(first)
    inner = put(below if isinstance(below, dict) else {}, tuple(rest), value) if rest else value
    return {**tree, first: inner}


def taken(tree: Any, place: Place, under: Any = None) -> Any:
    """Without what stands at a place, nor a map or list that is empty then. Where a profile, `under`, has something
    there, it is taken back by null."""
    first, *rest = place
    if isinstance(tree, list):
        return [item for index, item in enumerate(tree) if index != first]
    others = {key: it for key, it in tree.items() if key != first}
    profiles = get(under, (first,))
    if not rest:
        return others if profiles is None else {**tree, first: None}
    below = tree.get(first)
    left = taken(below if isinstance(below, dict | list) else {}, tuple(rest), profiles)
    return {**tree, first: left} if left else others


def difference(wanted: Any, base: Any) -> Any:
    """What has to be laid over `base` to come to `wanted`: null for what is to go. {}: nothing."""
    if not isinstance(wanted, dict) or not isinstance(base, dict):
        return {} if wanted == base else wanted
    over: Tree = {}
    for key, value in wanted.items():
        if key not in base or base[key] is None:
            over[key] = value
        elif base[key] != value:
            over[key] = difference(value, base[key])
    return over | {key: None for key, value in base.items() if key not in wanted and value is not None}
