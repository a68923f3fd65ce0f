"""The models of specs: what a Host and a Profile say. The kinds' parts come from the explicit list of kinds."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from pydantic import AfterValidator, Field, StringConstraints, create_model

from reconciler.desired.thumbprints import parse_thumbprint
from reconciler.kinds import KINDS
from reconciler.kinds.model import Fragment, LocalFile

API_VERSION = "reconciler/v1"
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$"
Name = Annotated[str, StringConstraints(pattern=NAME_PATTERN)]
NoBlanks = StringConstraints(min_length=1, max_length=255, pattern=r"^[^\s\x00-\x1f\x7f]+$")
Mode = Literal["enforce", "observe", "paused"]
RiskName = Literal["safe", "service", "link", "outage", "data"]


class Secret(Fragment):
    """A reference to a secret, exactly one of the three; the secret itself never stands in a spec."""

    env: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z_][A-Za-z0-9_]*$",
        description="name of an environment variable",
        examples=["ESXI_PASSWORD"],
    )
    file: LocalFile | None = Field(
        default=None,
        min_length=1,
        description="path of a file that holds the secret",
        examples=["/run/secrets/esxi"],
    )
    exec: list[str] | None = Field(
        default=None,
        min_length=1,
        description="a program and its arguments, run without a shell; it prints the secret",
        examples=[["pass", "show", "esxi"]],
    )

    def __str__(self) -> str:
        """The reference as messages show it: `{env: ESXI_PASSWORD}`."""
        if self.env is not None:
            return f"{{env: {self.env}}}"
        return (
            f"{{file: {self.file}}}" if self.file is not None else f"{{exec: [{', '.join(self.exec or ())}]}}"
        )


class SshAccess(Fragment):
    """How a session over SSH is opened."""

    port: int = Field(default=22, ge=1, le=65535, description="TCP port of the SSH service", examples=[22])
    user: Annotated[str, NoBlanks] = Field(
        default="root", description="account to log in with", examples=["root"]
    )
    key: LocalFile | None = Field(default=None, description="private key file", examples=["/etc/vcl/vcl.key"])
    password: Secret | None = Field(
        default=None, description="tried only when no key works", examples=[{"env": "ESXI_PASSWORD"}]
    )
    host_key: str | None = Field(
        default=None,
        description="the host's public key, TYPE BASE64",
        examples=["ssh-rsa AAAAB3NzaC1yc2E..."],
    )
    known_hosts: LocalFile | None = Field(
        default=None,
        description="file of known host keys in place of ~/.ssh/known_hosts",
        examples=["known_hosts"],
    )
    trust_on_first_use: bool = Field(
        default=False,
        description="true: an unknown host key is accepted once and written to the known-hosts file",
    )
    legacy_algorithms: bool = Field(
        default=False,
        description="true: also offer what ESXi 4.x to 6.0 need (SHA-1 key exchange, ssh-rsa, CBC)",
    )


def _is_thumbprint(text: str) -> str:
    parse_thumbprint(text)
    return text


class ApiAccess(Fragment):
    """How a session with the vSphere API is opened, whoever serves it."""

    port: int = Field(default=443, ge=1, le=65535, description="TCP port of HTTPS", examples=[443])
    user: Annotated[str, NoBlanks] = Field(
        default="root", description="account to log in with", examples=["root"]
    )
    password: Secret | None = Field(
        default=None,
        description="the account's password; without one this way is not used",
        examples=[{"file": "/run/secrets/esxi"}],
    )
    thumbprint: Annotated[str, AfterValidator(_is_thumbprint)] | None = Field(
        default=None,
        description="SHA-256 thumbprint of the certificate, as hex with or without colons, or base64",
        examples=["SHA256:47:E4:…"],
    )
    ca_file: LocalFile | None = Field(
        default=None,
        description="file with the certificates of the authorities that are trusted",
        examples=["ca.pem"],
    )
    insecure: bool = Field(
        default=False, description="true: any certificate is taken, which is a finding at every pass"
    )
    legacy_algorithms: bool = Field(
        default=False, description="true: also offer TLS 1.0, for ESXi 5.x and older"
    )


class SdkAccess(ApiAccess):
    """How a session over the vSphere SDK is opened."""


class VcenterAccess(ApiAccess):
    """How a session with the vCenter that manages the host is opened."""

    address: Annotated[str, NoBlanks] = Field(
        description="DNS name or IP address of the vCenter", examples=["vc.example.org"]
    )


class Access(Fragment):
    """How a host is reached."""

    prefer: Literal["auto", "ssh", "sdk"] = Field(
        default="auto", description="which way to the host is taken; auto: each thing by the way that can"
    )
    ssh: SshAccess = Field(default=SshAccess(), description="how a session over SSH is opened")
    sdk: SdkAccess = Field(default=SdkAccess(), description="how a session over the vSphere SDK is opened")
    vcenter: VcenterAccess | None = Field(
        default=None,
        description="how the vCenter that manages the host is reached; only `placement` needs it",
    )


class CommonSpec(Fragment):
    """What a Host's spec and a Profile's share, besides what the kinds bring."""

    profile: Name | list[Name] | None = Field(
        default=None,
        description="a profile's name, or a list of names, the later one wins",
        examples=["vcl-nfs-repository", ["site-a", "vcl-nfs-repository"]],
    )
    mode: Mode = Field(
        default="enforce",
        description="enforce; observe: report drift, change nothing; paused: not even looked at",
    )
    allow: RiskName = Field(default="service", description="highest risk that is done without asking")
    access: Access = Field(default=Access(), description="how the host is reached")


class Metadata(Fragment):
    """What a document is called."""

    name: Name = Field(
        description="letters, digits, '.', '_', '-', beginning with a letter or digit, up to 253",
        examples=["vmhost-a-01"],
    )
    labels: dict[str, str] | None = Field(
        default=None, description="labels that --selector asks for", examples=[{"site": "a", "rack": "r3"}]
    )


class Document(Fragment):
    """What every document has besides its spec."""

    api_version: Literal["reconciler/v1"] = Field(description="version of the specification")
    kind: Literal["Host", "Profile"] = Field(description="Host, or Profile: settings that many hosts share")
    metadata: Metadata = Field(description="what the document is called")
    spec: Any = Field(default=None, description="the settings")


def _place_model(place: str) -> Any:
    """The model of a map below `spec`: one that has the fields of all fragments of that place."""
    fragments = tuple(kind.fragment for kind in KINDS if kind.place == place)
    words = "; ".join(_first_line(fragment) for fragment in fragments)
    model = create_model(f"{place.capitalize()}Spec", __base__=fragments, __doc__=words)
    return (model | None, Field(default=None, description=f"what is wished of {place}"))


def _first_line(model: type[Fragment]) -> str:
    return (model.__doc__ or "").partition("\n")[0]


def _spec_model(name: str, base: type[CommonSpec], words: str) -> type[CommonSpec]:
    roots = tuple(kind.fragment for kind in KINDS if kind.place == "")
    places = {place: _place_model(place) for place in dict.fromkeys(kind.place for kind in KINDS) if place}
    model: Any = create_model(name, __base__=(base, *roots), __doc__=words, **places)
    return cast("type[CommonSpec]", model)


class AddressedSpec(CommonSpec):
    """What only a Host's spec has."""

    address: Annotated[str, NoBlanks] | None = Field(
        default=None,
        description="DNS name or IP address (default: metadata.name)",
        examples=["vmhost-a-01.example.org"],
    )


ProfileSpec = _spec_model("ProfileSpec", CommonSpec, "Settings that many hosts share.")
HostSpec = _spec_model("HostSpec", AddressedSpec, "How a host should be, and how it is reached.")
