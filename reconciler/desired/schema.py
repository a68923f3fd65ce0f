"""The JSON Schema of spec files, generated from the models that validate them."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field
from pydantic.json_schema import models_json_schema

from reconciler.desired.model import Document, HostSpec, ProfileSpec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_WHOLE = ("Host", "Profile", "Metadata", "KeyFile")
"""Models that stand as they are written: nothing is merged into a document's head or into an item of a list."""


class Host(Document):
    """How one ESXi host should be, and how it is reached."""

    kind: Literal["Host"] = Field(description="a host")
    spec: HostSpec | None = Field(default=None, description="how the host should be")  # type: ignore[valid-type]


class Profile(Document):
    """Settings that many hosts share; what VCL calls a VM host profile."""

    kind: Literal["Profile"] = Field(description="settings that many hosts share")
    spec: ProfileSpec | None = Field(default=None, description="the shared settings")  # type: ignore[valid-type]


def schema() -> dict[str, Any]:
    """JSON Schema 2020-12 of one document of a spec file."""
    _, generated = models_json_schema(
        [(Host, "validation"), (Profile, "validation")], by_alias=True, ref_template="#/$defs/{model}"
    )
    definitions = {name: _definition(name, model) for name, model in generated["$defs"].items()}
    return {
        "$schema": DIALECT,
        "title": "reconciler specs",
        "description": "One document of a spec file: a Host or a Profile.",
        "oneOf": [{"$ref": "#/$defs/Host"}, {"$ref": "#/$defs/Profile"}],
        "$defs": definitions,
    }


def _definition(name: str, model: dict[str, Any]) -> dict[str, Any]:
    """A model's schema. Within specs nothing is required, since a profile may give it, and null takes a value away."""
    tidy: dict[str, Any] = _tidied(model)
    if name in _WHOLE:
        return tidy
    tidy.pop("required", None)
    tidy["properties"] = {key: _or_null(value) for key, value in tidy["properties"].items()}
    return tidy


def _tidied(part: Any) -> Any:
    """Without pydantic's titles and null defaults; maps with free names as `propertyNames`."""
    if isinstance(part, list):
        return [_tidied(item) for item in part]
    if not isinstance(part, dict):
        return part
    tidy = {key: _tidied_value(key, value) for key, value in part.items() if not _is_noise(key, value)}
    patterns = tidy.pop("patternProperties", None)
    if patterns:
        ((pattern, inner),) = patterns.items()
        tidy["propertyNames"] = {**tidy.get("propertyNames", {}), "pattern": pattern}
        tidy["additionalProperties"] = inner
    free = tidy.get("additionalProperties")
    if isinstance(free, dict):
        tidy["additionalProperties"] = _or_null(free)
    return tidy


def _tidied_value(key: str, value: Any) -> Any:
    if key == "properties":
        return {name: _tidied(inner) for name, inner in value.items()}
    return value if key in ("examples", "default", "const", "enum") else _tidied(value)


def _is_noise(key: str, value: Any) -> bool:
    return (key == "title" and isinstance(value, str)) or (
        key == "default" and isinstance(value, dict | None)
    )


def _or_null(part: dict[str, Any]) -> dict[str, Any]:
    options = part.get("anyOf")
    null = {"type": "null"}
    if options is not None:
        return part if null in options else {**part, "anyOf": [*options, null]}
    about: dict[str, Any] = {key: part[key] for key in ("description", "examples", "default") if key in part}
    rest = {key: value for key, value in part.items() if key not in about}
    return {**about, "anyOf": [rest, null]}
