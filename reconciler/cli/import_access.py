"""Options that say how live hosts are reached, and the part of a spec that they come to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import click

from reconciler.cli.messages import Problem
from reconciler.cli.options import option, together

PORT = click.IntRange(1, 65535)
SSH = together(
    option("--port", type=PORT, metavar="N", help="Port of SSH.  [default: 22]"),
    option("--user", metavar="NAME", help="Account over SSH.  [default: root]"),
    option("--key", metavar="FILE", help="Private key file."),
    option("--password-env", metavar="NAME", help="Environment variable with the password for SSH."),
    option("--password-file", metavar="FILE", help="File with the password for SSH."),
    option("--host-key", metavar="'TYPE BASE64'", help="The public key of the host; of one host only."),
    option("--known-hosts", metavar="FILE", help="Known host keys.  [default: ~/.ssh/known_hosts]"),
    option(
        "--trust-on-first-use", is_flag=True, help="Accept and keep the key of a host that is not known yet."
    ),
    option("--legacy-algorithms", is_flag=True, help="Also offer what ESXi 4.x to 6.0 need."),
)
SDK = together(
    option("--sdk-port", type=PORT, metavar="N", help="Port of the vSphere SDK.  [default: 443]"),
    option("--sdk-user", metavar="NAME", help="Account over the SDK.  [default: root]"),
    option("--sdk-password-env", metavar="NAME", help="Environment variable with the password for the SDK."),
    option("--sdk-password-file", metavar="FILE", help="File with it; without a password, no SDK."),
    option("--thumbprint", metavar="TEXT", help="SHA-256 of the certificate; of one host only."),
    option("--ca-file", metavar="FILE", help="Certificates of the authorities that are trusted."),
    option("--insecure", is_flag=True, help="Take any certificate."),
)


def access(options: Mapping[str, Any]) -> dict[str, Any]:
    """`spec.access` with what was given; files by their absolute paths, since a spec may come to lie anywhere.
    Raises Problem."""
    ssh = {
        "port": options["port"],
        "user": options["user"],
        "key": _file(options["key"]),
        "password": _secret(options, "password"),
        "hostKey": options["host_key"],
        "knownHosts": _file(options["known_hosts"]),
        "trustOnFirstUse": options["trust_on_first_use"],
        "legacyAlgorithms": options["legacy_algorithms"],
    }
    password = _secret(options, "sdk_password")
    sdk = {
        "port": options["sdk_port"],
        "user": options["sdk_user"],
        "password": password,
        "thumbprint": options["thumbprint"],
        "caFile": _file(options["ca_file"]),
        "insecure": options["insecure"],
        "legacyAlgorithms": options["legacy_algorithms"] and password is not None,
    }
    return {name: given for name, it in (("ssh", ssh), ("sdk", sdk)) if (given := _given(it))}


def of_one_host(options: Mapping[str, Any]) -> str | None:
    """An option that was given and can be true of one host only."""
    return next((f"--{name.replace('_', '-')}" for name in ("host_key", "thumbprint") if options[name]), None)


def _given(part: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in part.items() if value not in (None, False)}


def _file(path: str | None) -> str | None:
    return None if path is None else os.path.abspath(os.path.expanduser(path))


def _secret(options: Mapping[str, Any], name: str) -> dict[str, str | None] | None:
    env, file = options[f"{name}_env"], options[f"{name}_file"]
    if env and file:
        dashed = name.replace("_", "-")
        raise Problem(f"--{dashed}-env and --{dashed}-file are two places for one password: give one of them")
    return {"env": env} if env else {"file": _file(file)} if file else None
