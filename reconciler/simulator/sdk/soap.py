"""Requests and answers of the API as texts (SOAP 1.1), by pyVmomi's tables of types."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from xml.parsers.expat import ParserCreate
from xml.sax.saxutils import escape

from pyVmomi import SoapAdapter, VmomiSupport

adapter: Any = SoapAdapter
support: Any = VmomiSupport
ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<soapenv:Envelope xmlns:soapenc="http://schemas.xmlsoap.org/soap/encoding/" xmlns:soapenv="{ENVELOPE}" '
    'xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
    "<soapenv:Body>\n"
)
TAIL = "\n</soapenv:Body>\n</soapenv:Envelope>"
PREFIXES = {
    ENVELOPE: "soapenv",
    "http://schemas.xmlsoap.org/soap/encoding/": "soapenc",
    "http://www.w3.org/2001/XMLSchema": "xsd",
    "http://www.w3.org/2001/XMLSchema-instance": "xsi",
    "urn:vim25": "",
}


OPTIONAL: int = support.F_OPTIONAL
FETCH = support.Object(
    name="Fetch",
    wsdlName="Fetch",
    params=(support.Object(name="prop", type=str, flags=0),),
    result=object,
)
"""How pyVmomi reads one property; every object has it, and no table of types."""


class ApiFault(Exception):
    """A fault that the API answers with. `name` is its name in the API (`RestrictedVersion`)."""

    def __init__(self, name: str, message: str = "", /, **fields: Any) -> None:
        super().__init__(name)
        self.name, self.message, self.fields = name, message, fields

    def value(self) -> Any:
        """The fault as a data object."""
        return support.GetWsdlType("urn:vim25", self.name)(msg=self.message, **self.fields)


class BadRequest(Exception):
    """A text that is no request of the API."""


@dataclass
class Request:
    """A call: the managed object (its type in the API, and its id), the method's name in the API, its arguments."""

    kind: str = ""
    moid: str = ""
    method: str = ""
    info: Any = None
    arguments: dict[str, Any] = field(default_factory=dict)


def parse(body: bytes) -> Request:
    """Read a request. Raises BadRequest."""
    parser = _Parser()
    try:
        return parser.parse(body)
    except BadRequest:
        raise
    except Exception as error:
        raise BadRequest(f"{type(error).__name__}: {error}") from error


class _Parser(adapter.ExpatDeserializerNSHandlers):  # type: ignore[misc]
    """Walks through an envelope; each argument is handed to pyVmomi's deserializer."""

    def __init__(self) -> None:
        super().__init__()
        self.request = Request()
        self.depth = 0
        self.data = ""
        self.nsMap: dict[str, Any] = {}
        self.deser = adapter.SoapDeserializer(None)
        self.pending: str | None = None

    def parse(self, body: bytes) -> Request:
        self.parser = ParserCreate(namespace_separator=adapter.NS_SEP)
        self.parser.buffer_text = True

        def refuse(*_: Any) -> None:
            raise BadRequest("a document type is not allowed")

        self.parser.StartDoctypeDeclHandler = refuse
        adapter.SetHandlers(self.parser, adapter.GetHandlers(self))
        self.parser.Parse(body, True)
        self._collect()
        if self.request.info is None:
            raise BadRequest("there is no method")
        for wanted in self.request.info.params:
            if not wanted.flags & OPTIONAL and wanted.name not in self.request.arguments:
                if not issubclass(wanted.type, list):
                    raise BadRequest(f"{self.request.method} lacks the argument {wanted.name}")
                self.request.arguments[wanted.name] = wanted.type()
        return self.request

    def StartElementHandler(self, tag: str, attr: dict[str, str]) -> None:  # noqa: N802 - pyVmomi's name
        self._collect()
        self.data = ""
        name = tag.rpartition(adapter.NS_SEP)[2]
        if self.depth == 2:
            self.request.method = name
        elif self.depth == 3:
            self._argument(tag, name, attr)
            return
        self.depth += 1

    def _argument(self, tag: str, name: str, attr: dict[str, str]) -> None:
        if name == "_this":
            self.request.kind = attr.get("type", "").rpartition(":")[2]
            kind = support.GetWsdlType("urn:vim25", self.request.kind)
            self.request.info = _method(kind, self.request.method)
            self.pending = name
            self.depth += 1
            return
        wanted = next((it for it in self.request.info.params if it.name == name), None)
        if wanted is None:
            raise BadRequest(f"{self.request.method} has no argument {name}")
        several = issubclass(wanted.type, list)
        self.pending = name
        self.deser.Deserialize(self.parser, wanted.type.Item if several else wanted.type, False, self.nsMap)
        self.deser.StartElementHandler(tag, attr)

    def _collect(self) -> None:
        """Take over the argument that has just been read."""
        name, self.pending = self.pending, None
        if name is None or name == "_this":
            return
        wanted = next(it for it in self.request.info.params if it.name == name)
        value = self.deser.GetResult()
        if issubclass(wanted.type, list):
            self.request.arguments.setdefault(name, []).append(value)
        else:
            self.request.arguments[name] = value

    def CharacterDataHandler(self, data: str) -> None:  # noqa: N802
        self.data += data

    def EndElementHandler(self, tag: str) -> None:  # noqa: N802
        if self.pending == "_this":
            self.request.moid = self.data
            self.pending = None
        self.depth -= 1


def _method(kind: Any, name: str) -> Any:
    if name == FETCH.name:
        return FETCH
    for candidate in kind.__mro__:
        for info in getattr(candidate, "_methodInfo", {}).values():
            if info.wsdlName == name:
                return info
    raise BadRequest(f"Unable to resolve WSDL method name {name} for {kind.__name__}")


def wire(number: str) -> str:
    """pyVmomi's name of a version of the API: what is newer is not sent."""
    names = support.versionIdMap.items()
    return str(next(name for name, spoken in names if spoken == number and name.startswith("vim.version.")))


def answer(request: Request, value: Any, version: str) -> bytes:
    """What is sent for a call that went well."""
    result = request.info.result
    inner = ""
    if value is not None and result is not support.NoneType:
        several = issubclass(result, list)
        values = value if several else [value]
        kind = result.Item if several else result
        inner = "".join(_serialized("returnval", each, kind, version) for each in values)
    name = request.method
    text = f'{HEAD}<{name}Response xmlns="urn:vim25">{inner}</{name}Response>{TAIL}'
    return text.encode("utf-8", "surrogateescape")


def refusal(fault: ApiFault, version: str) -> bytes:
    """What is sent in place of an answer."""
    info = support.Object(name=f"{fault.name}Fault", type=object, version=version, flags=0)
    detail = adapter.SerializeFaultDetail(fault.value(), info, version, dict(PREFIXES))
    text = (
        f"{HEAD}<soapenv:Fault><faultcode>ServerFaultCode</faultcode>"
        f"<faultstring>{escape(fault.message)}</faultstring><detail>{detail}</detail></soapenv:Fault>{TAIL}"
    )
    return text.encode("utf-8", "surrogateescape")


def _serialized(name: str, value: Any, kind: Any, version: str) -> str:
    info = support.Object(name=name, type=kind, version=version, flags=0)
    return str(adapter.SerializeToStr(value, info, version, dict(PREFIXES)))
