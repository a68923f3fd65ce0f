"""Farms and keys for the tests that speak SSH."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.simulator import RELEASES, Farm, HostModel, Storage
from tests.simulator.client import tool


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with private keys by type, and `.pub` beside each."""
    folder = tmp_path_factory.mktemp("keys")
    kinds = {
        "rsa": ["rsa", "-b", "2048"],
        "short": ["rsa", "-b", "1024"],
        "ed25519": ["ed25519"],
        "ecdsa": ["ecdsa"],
    }
    for name, kind in kinds.items():
        subprocess.run(
            [tool("ssh-keygen"), "-q", "-N", "", "-t", *kind, "-f", str(folder / name)], check=True
        )
    return folder


@pytest.fixture(scope="session")
def all_public(keys: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(keys.glob("*.pub")))


@pytest.fixture(scope="session")
def farm(all_public: bytes) -> Iterator[Farm]:
    """A host of each version; root has all keys."""
    models = [
        HostModel(name=f"v{version}", version=version, authorized_keys=all_public) for version in RELEASES
    ]
    with Farm.start(models, Storage({"filer": ("/a",)})) as running:
        yield running
