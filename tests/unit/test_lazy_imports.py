"""A run loads only what it needs: over SSH alone nothing of the SDK, without a port nothing that serves pages."""

from __future__ import annotations

import subprocess
import sys


def test_pyvmomi_is_not_loaded_before_a_host_needs_it() -> None:
    script = (
        "import sys; import reconciler.cli.main, reconciler.fleet, reconciler.contact, reconciler.simulator; "
        "print([name for name in sys.modules if name.split('.')[0] in ('pyVmomi', 'pyVim')])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


def test_what_serves_pages_is_not_loaded_before_a_port_is_opened() -> None:
    script = (
        "import sys; import reconciler.cli.main, reconciler.web; "
        "print([name for name in sys.modules if name.split('.')[0] in ('jinja2', 'waitress')])"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"
