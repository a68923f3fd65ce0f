"""Texts that are no requests: each is answered with a refusal, changes nothing and leaves the port answering."""

from __future__ import annotations

import socket

import pytest

from reconciler.simulator import HostHandle
from tests.simulator.sdk.client import ask, content, context, system

HEAD = '<?xml version="1.0"?><e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>'
TAIL = "</e:Body></e:Envelope>"
BOMB = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Body>&b;</e:Body></e:Envelope>'
)
FILE = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><x>&f;</x>'
THIS = '<_this type="HostServiceSystem">serviceSystem</_this>'


def call(method: str, inside: str) -> str:
    return f'{HEAD}<{method} xmlns="urn:vim25">{inside}</{method}>{TAIL}'


STRANGE = {
    "empty": "",
    "no xml": "\x00\xff garbage",
    "half": HEAD,
    "no method": HEAD + TAIL,
    "entities": BOMB,
    "a file": FILE,
    "no such type": call("StartService", '<_this type="Nonsense">x</_this><id>TSM-SSH</id>'),
    "no such method": call("FormatEverything", THIS),
    "no such argument": call("StartService", f"{THIS}<id>TSM-SSH</id><force>true</force>"),
    "an argument too few": call("StartService", THIS),
    "no object": call("StartService", "<id>TSM-SSH</id>"),
    "deep": call("StartService", THIS + "<id>" + "<a>" * 5000 + "</a>" * 5000 + "</id>"),
    "no number": call(
        "RemoveVirtualSwitch", '<_this type="HostNetworkSystem">networkSystem</_this><vswitchName/><x/>'
    ),
    "half an argument": call(
        "AddPortGroup",
        '<_this type="HostNetworkSystem">networkSystem</_this><portgrp><vlanId>many</vlanId></portgrp>',
    ),
    "properties of nothing": call(
        "RetrievePropertiesEx",
        '<_this type="PropertyCollector">ha-property-collector</_this>'
        "<specSet><propSet/><objectSet/></specSet><options/>",
    ),
}


@pytest.mark.parametrize("body", STRANGE.values(), ids=STRANGE)
def test_a_strange_request_is_refused(esx: HostHandle, body: str) -> None:
    shown, before = content(esx), esx.digest()
    cookie = {"Cookie": shown.sessionManager._stub.cookie}
    status, answer = ask(esx, "POST", "/sdk", body.encode("latin-1"), headers=cookie)
    assert status == 500
    assert b"Fault" in answer
    assert b"root:" not in answer
    assert esx.digest() == before
    assert system(shown).name == "esx"


@pytest.mark.parametrize(
    "sent",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"POST /sdk HTTP/1.1\r\nContent-Length: -5\r\n\r\n",
        b"POST /sdk HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /sdk HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"GET / HTTP/1.1\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
def test_what_is_no_http_ends_the_connection_only(esx: HostHandle, sent: bytes) -> None:
    with socket.create_connection((esx.address, esx.sdk_port), timeout=10) as plain:
        with context(esx).wrap_socket(plain, server_hostname=esx.address) as line:
            try:
                line.sendall(sent)
                assert line.recv(100) == b""
            except OSError:
                pass
    assert ask(esx, "GET", "/")[0] == 404


def test_what_is_no_tls_ends_the_connection_only(esx: HostHandle) -> None:
    with socket.create_connection((esx.address, esx.sdk_port), timeout=10) as plain:
        plain.sendall(b"GET / HTTP/1.1\r\n\r\n")
        plain.recv(100)
    assert ask(esx, "GET", "/")[0] == 404
