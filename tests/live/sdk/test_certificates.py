"""Who is trusted: compared before a byte is sent, on every connection."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from reconciler.faults import CertificateRefused, FaultKind, Unreachable, Unsupported
from reconciler.transports.sdk import connect
from tests.live.sdk.agent import CONTENT, Agent, response
from tests.live.sdk.tls import PASSWORD, Identity, identity, serving

pytestmark = pytest.mark.timeout(60)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def mine(folder: Path) -> Identity:
    return identity(folder, "esx")


@pytest.fixture(scope="module")
def other(folder: Path) -> Identity:
    return identity(folder, "other")


def file_of(folder: Path, name: str, content: bytes) -> str:
    path = folder / name
    path.write_bytes(content)
    return str(path)


@pytest.mark.parametrize("spelling", ["colons", "bare", "hex", "base64", "prefixed", "unpadded"])
def test_the_pinned_certificate_is_taken_however_it_is_spelled(mine: Identity, spelling: str) -> None:
    digest = hashlib.sha256(mine.der).digest()
    packed = base64.b64encode(digest).decode()
    pin = {
        "colons": mine.thumbprint,
        "bare": digest.hex(":"),
        "hex": digest.hex().upper(),
        "base64": packed,
        "prefixed": f"SHA256:{packed}",
        "unpadded": packed.rstrip("="),
    }[spelling]
    agent = Agent()
    with serving(mine, agent.talk) as there:
        session = connect(there.target(thumbprint=pin))
        assert (session.fingerprint, session.certificate) == (mine.thumbprint, mine.der)
        assert (session.about.version, session.about.build) == ("6.5.0", "1")
        session.close()
    assert agent.calls == ["/sdk/vimServiceVersions.xml", "RetrieveServiceContent", "Login", "Logout"]


@pytest.mark.parametrize("field", ["access.sdk", "access.vcenter"])
def test_another_certificate_than_the_pinned_one_hears_nothing(
    mine: Identity, other: Identity, field: str
) -> None:
    with serving(other, Agent().talk) as there:
        with pytest.raises(CertificateRefused, match="than the pinned one") as caught:
            connect(there.target(thumbprint=mine.thumbprint, field=field))
        assert bytes(there.heard) == b""
    assert caught.value.kind is FaultKind.HOST_KEY
    assert other.thumbprint in caught.value.message
    assert f'under {field}:\nthumbprint: "{other.thumbprint}"' in caught.value.next
    assert PASSWORD not in caught.value.message + caught.value.next


def test_a_certificate_that_nothing_vouches_for_hears_nothing(mine: Identity) -> None:
    with serving(mine, Agent().talk) as there:
        with pytest.raises(CertificateRefused, match="nothing vouches for") as caught:
            connect(there.target())
        assert bytes(there.heard) == b""
    assert mine.thumbprint in caught.value.message


def test_a_pin_that_is_none_is_said(mine: Identity) -> None:
    with serving(mine, Agent().talk) as there:
        with pytest.raises(CertificateRefused, match=r"access\.sdk\.thumbprint"):
            connect(there.target(thumbprint="abc"))
        assert there.connections == 0


def test_a_file_of_authorities_vouches(mine: Identity, other: Identity, folder: Path) -> None:
    both = file_of(folder, "both.pem", "# für alle\n".encode() + other.pem + mine.pem)
    with serving(mine, Agent().talk) as there:
        session = connect(there.target(ca_file=both))
        assert session.fingerprint == mine.thumbprint
        session.close()


def test_a_changed_file_of_authorities_counts_at_once(mine: Identity, other: Identity, folder: Path) -> None:
    path = file_of(folder, "changing.pem", other.pem)
    with serving(mine, Agent().talk) as there:
        with pytest.raises(CertificateRefused):
            connect(there.target(ca_file=path))
        file_of(folder, "changing.pem", mine.pem)
        connect(there.target(ca_file=path)).close()


def test_what_no_authority_vouches_for_hears_nothing(mine: Identity, other: Identity, folder: Path) -> None:
    path = file_of(folder, "others.pem", other.pem)
    with serving(mine, Agent().talk) as there:
        with pytest.raises(CertificateRefused, match="does not vouch for") as caught:
            connect(there.target(ca_file=path))
        assert bytes(there.heard) == b""
    assert mine.thumbprint in caught.value.message
    assert path in caught.value.message


def test_a_certificate_for_another_address_hears_nothing(folder: Path) -> None:
    elsewhere = identity(folder, "elsewhere", "192.0.2.7")
    path = file_of(folder, "elsewhere-ca.pem", elsewhere.pem)
    with serving(elsewhere, Agent().talk) as there:
        with pytest.raises(CertificateRefused, match=r"127\.0\.0\.1") as caught:
            connect(there.target(ca_file=path))
        assert bytes(there.heard) == b""
    assert "has to name 127.0.0.1" in caught.value.next


@pytest.mark.parametrize("content", [None, b"", b"no certificate\n"])
def test_a_file_of_authorities_that_is_none_is_said(
    mine: Identity, tmp_path: Path, content: bytes | None
) -> None:
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)
    with serving(mine, Agent().talk) as there:
        with pytest.raises(CertificateRefused, match=r"ca\.pem can't be read"):
            connect(there.target(ca_file=str(path)))
        assert there.connections == 0


def test_unchecked_is_what_was_seen_first_and_no_other_for_that_session(
    mine: Identity, other: Identity
) -> None:
    agent = Agent(goodbye=True)
    with serving(mine, agent.talk) as there:
        session = connect(there.target(insecure=True))
        there.becomes(other)
        there.heard.clear()
        with pytest.raises(
            CertificateRefused, match=r"than a moment ago: .*; nothing was sent to it"
        ) as caught:
            session.https("GET", "/host/ssh_root_authorized_keys")
        session.close()
        assert bytes(there.heard) == b""
    assert other.thumbprint in caught.value.message


def test_a_host_that_speaks_only_old_tls_says_what_allows_it(mine: Identity) -> None:
    with serving(mine, Agent().talk, old=True) as there:
        with pytest.raises(Unreachable, match="TLS") as caught:
            connect(there.target(thumbprint=mine.thumbprint))
        assert "access.sdk.legacyAlgorithms: true" in caught.value.next
        assert bytes(there.heard) == b""
        connect(there.target(thumbprint=mine.thumbprint, legacy_algorithms=True)).close()


def test_old_tls_is_no_reason_to_trust(mine: Identity, other: Identity) -> None:
    with serving(other, Agent().talk, old=True) as there:
        with pytest.raises(CertificateRefused):
            connect(there.target(thumbprint=mine.thumbprint, legacy_algorithms=True))
        assert bytes(there.heard) == b""


def test_who_is_no_host_gets_no_password(mine: Identity) -> None:
    vcenter = CONTENT.replace("HostAgent", "VirtualCenter")
    agent = Agent({"RetrieveServiceContent": lambda request: response("RetrieveServiceContent", vcenter)})
    with serving(mine, agent.talk) as there:
        with pytest.raises(Unsupported, match="a vCenter answers there"):
            connect(there.target(thumbprint=mine.thumbprint))
        assert PASSWORD.encode() not in there.heard
