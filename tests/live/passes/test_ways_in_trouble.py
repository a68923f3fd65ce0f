"""Trust and trouble on the way over the SDK, in whole passes."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from reconciler.report import HostReport, Status
from tests.live.passes.world import World, world

ONLY: dict[str, Any] = {"prefer": "sdk"}


def pem(there: World, file: Path) -> Path:
    file.write_text(ssl.DER_cert_to_PEM_cert(there.host.certificate))
    return file


def findings(report: HostReport) -> str:
    return "\n".join(note.why for note in report.findings)


def test_a_certificate_that_an_authority_vouches_for_is_trusted_if_it_names_the_address(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        trust = {"thumbprint": None, "caFile": str(pem(there, tmp_path / "ca.pem"))}
        there.spec = {"ssh": {"enabled": True}, "access": {**ONLY, "sdk": trust}}
        assert there.look().status is Status.IN_SYNC


def test_a_certificate_of_a_stranger_is_refused_before_the_password_goes(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    with (
        world(tmp_path, "6.7", {}, sdk=True) as there,
        world(tmp_path / "other", "6.7", {}, sdk=True) as other,
    ):
        trust = {"thumbprint": None, "caFile": str(pem(other, tmp_path / "ca.pem"))}
        there.spec = {"ssh": {"enabled": True}, "access": {"sdk": trust}}
        report = there.look()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert report.fault.kind.value == "hostKey"
        assert "ca.pem" in report.fault.message
        assert there.host.sdk_logins == []


def test_nothing_that_vouches_is_refused_with_the_fingerprint_that_was_seen(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = {"ssh": {"enabled": True}, "access": {"sdk": {"thumbprint": None}}}
        report = there.look()
        assert report.fault is not None
        assert there.host.thumbprint in report.fault.message
        assert f'thumbprint: "{there.host.thumbprint}"' in report.fault.next
        assert there.host.sdk_logins == []


def test_a_file_of_authorities_that_is_none_is_said(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        (tmp_path / "ca.pem").write_text("nothing")
        trust = {"thumbprint": None, "caFile": str(tmp_path / "ca.pem")}
        there.spec = {"ssh": {"enabled": True}, "access": {"sdk": trust}}
        report = there.look()
        assert report.fault is not None
        assert "the authorities in" in report.fault.message


def test_old_tls_is_spoken_only_where_the_spec_asks_for_it_and_the_fault_names_that(tmp_path: Path) -> None:
    with world(tmp_path, "5.5", {}, sdk=True) as there:
        there.spec = {"ssh": {"enabled": True}, "access": {**ONLY, "sdk": {"legacyAlgorithms": False}}}
        report = there.look()
        assert report.status is Status.UNREACHABLE
        assert report.fault is not None
        assert "access.sdk.legacyAlgorithms: true" in report.fault.next
        there.spec["access"] = {"sdk": {"legacyAlgorithms": False}}
        beside = there.look()
        assert (beside.status, beside.transport) == (Status.IN_SYNC, "ssh")
        assert "the SDK was not used" in findings(beside)


@contextmanager
def web_server(there: World, folder: Path) -> Iterator[tuple[int, str]]:
    """Somebody else's HTTPS server at the host's address: its port and the thumbprint."""
    from reconciler.simulator.sdk.certificates import Certificates

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:
            return

    made = Certificates()
    certificate = made.make("web", there.host.address)
    server = HTTPServer((there.host.address, 0), Page)
    server.socket = made.context(certificate, old=False).wrap_socket(server.socket, server_side=True)
    from cryptography.hazmat.primitives import hashes

    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_port, certificate.fingerprint(hashes.SHA256()).hex()
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def test_what_answers_and_is_no_esxi_is_a_clear_fault(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there, web_server(there, tmp_path) as (port, thumbprint):
        there.spec = {"access": {"sdk": {"port": port, "thumbprint": thumbprint}}, "ssh": {"enabled": True}}
        report = there.look()
        assert report.status is Status.FAILED
        assert report.fault is not None
        assert report.fault.kind.value == "unsupported"
        assert "what answers there is no ESXi host" in report.fault.message
        assert "404" in report.fault.message


def test_what_speaks_no_tls_is_not_reached_and_ssh_does_it(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = {"access": {"sdk": {"port": there.host.port}}, "ssh": {"enabled": True}}
        report = there.look()
        assert (report.status, report.transport) == (Status.IN_SYNC, "ssh")
        assert "speaks no TLS" in findings(report)


def test_a_host_whose_agent_is_away_is_done_over_ssh_once_it_is_back(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch0"}}}
        there.host.fault("hostd-down", polls=1)
        report = there.run()
        assert (report.status, report.transport) == (Status.CONVERGED, "ssh")
        assert "hostd" in findings(report)


def test_an_agent_that_goes_away_in_a_look_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from reconciler.observers.sdk.eyes import SdkEyes

    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = {"portGroups": {"Lab": {"vswitch": "vSwitch0"}}, "access": ONLY}
        look, down = SdkEyes.look, [True]

        def struck(self: SdkEyes, *args: Any) -> Any:
            if down:
                down.pop()
                there.host.fault("hostd-down", polls=2)
            return look(self, *args)

        monkeypatch.setattr(SdkEyes, "look", struck)
        assert there.run().status is Status.CONVERGED
        assert there.host.sdk_calls.count("AddPortGroup") == 1


def test_a_strangers_key_is_removed_over_the_sdk_and_the_one_that_ssh_would_use_is_not(
    tmp_path: Path,
) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        own = there.keys.public("root").encode() + b"\n"
        second = there.keys.public("second")
        there.host.files.write(
            there.host.keys_path, own + b"ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAAQ== stranger\n"
        )
        there.spec = {"ssh": {"authorizedKeys": [second], "exclusiveKeys": True}, "access": ONLY}
        report = there.run()
        assert (report.status, report.transport) == (Status.CONVERGED, "sdk")
        assert there.host.files.read(there.host.keys_path) == own + second.encode() + b"\n"
        assert "it is not removed" in findings(report)


def test_a_dry_run_over_the_sdk_leaves_the_host_byte_for_byte_as_it_was(tmp_path: Path) -> None:
    from tests.live.passes.world import full_spec

    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = full_spec(there.keys)
        digest = there.host.digest()
        for prefer in ("sdk", "auto"):
            there.spec["access"] = {"prefer": prefer}
            assert there.look().status is Status.DRIFTED
        assert there.host.digest() == digest


def test_a_host_in_observe_is_reported_over_the_sdk_and_not_written(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True, ssh_running=False, ssh_policy=False) as there:
        there.spec = {"mode": "observe", "ssh": {"enabled": True}, "access": ONLY}
        digest = there.host.digest()
        report = there.run()
        assert (report.status, len(report.steps)) == (Status.DRIFTED, 2)
        assert there.host.digest() == digest


def test_ssh_is_switched_off_over_the_sdk_as_the_last_thing(tmp_path: Path) -> None:
    with world(tmp_path, "6.7", {}, sdk=True) as there:
        there.spec = {
            "ssh": {"enabled": False},
            "allow": "link",
            "portGroups": {"Lab": {"vswitch": "vSwitch0"}},
        }
        report = there.run()
        assert (report.status, report.fault) == (Status.CONVERGED, None)
        assert there.host.ssh == (False, False)
        again = there.look()
        assert (again.status, again.transport, again.held) == (Status.IN_SYNC, "sdk", ())
