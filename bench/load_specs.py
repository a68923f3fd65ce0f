"""Loading 1,000 hosts and 20 profiles, beside what yaml's C loader alone needs for the same files.

python -m bench.load_specs [--small] [--rounds N] [--out FILE]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import yaml

from bench.lab.figures import milliseconds, ratio, table
from bench.lab.progress import main
from reconciler.desired.load import load

HOSTS, PROFILES = 1000, 20

PROFILE = """\
apiVersion: reconciler/v1
kind: Profile
metadata:
  name: profile-{number}
spec:
  ssh:
    enabled: true
    exclusiveKeys: false
  datastores:
    datastore1:
      vmfs: {{}}
    repository:
      nfs:
        server: 10.10.0.{number}
        path: /install/vmware_images
        version: "3"
        readOnly: false
    scratch: {{}}
    old-iso: absent
  workingDirectory: "[datastore1] ${{name}}"
  portGroups:
    Private: {{vswitch: vSwitch0, vlan: 10}}
    Public: {{}}
"""

HOST = """\
apiVersion: reconciler/v1
kind: Host
metadata:
  name: vmhost-{number}
  labels: {{site: a, rack: r{rack}}}
spec:
  profile: profile-{rack}
  address: vmhost-{number}.example.org
  mode: enforce
  allow: service
  access:
    ssh:
      port: 22
      user: root
      key: /etc/vcl/vcl.key
      password: {{env: ESXI_PASSWORD}}
"""


def write(folder: Path, hosts: int) -> list[Path]:
    """One file for all profiles, one for each rack of hosts."""
    (folder / "profiles.yaml").write_text("---\n".join(PROFILE.format(number=at) for at in range(PROFILES)))
    for rack in range(PROFILES):
        numbers = range(rack, hosts, PROFILES)
        text = "---\n".join(HOST.format(number=at, rack=rack) for at in numbers)
        (folder / f"rack-{rack}.yaml").write_text(text)
    return sorted(folder.glob("*.yaml"))


def tables(small: bool, rounds: int) -> str:
    count = 50 if small else HOSTS
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        files = write(Path(name), count)
        texts = [file.read_text() for file in files]
        work: dict[str, Callable[[], object]] = {
            "yaml's C loader alone": lambda: [list(yaml.load_all(text, yaml.CSafeLoader)) for text in texts],
            "load and check specs": lambda: load([Path(name)]),
        }
        runs = [[_seconds(each) for each in work.values()] for _ in range(rounds)]
    alone, ours = (median(column) for column in zip(*runs, strict=True))
    times = zip(work, (alone, ours), ("", "at most 3"), ("", ratio(ours, alone)), strict=True)
    rows = [(what, milliseconds(seconds), goal, measured) for what, seconds, goal, measured in times]
    title = f"### Loading {count} hosts and {PROFILES} profiles; medians of {rounds}\n"
    return "\n".join((title, table(("", "CPU", "goal", "of yaml alone"), rows)))


def _seconds(work: Callable[[], object]) -> float:
    """Its CPU seconds."""
    began = time.process_time()
    work()
    return time.process_time() - began


if __name__ == "__main__":
    sys.exit(main(__doc__, tables, rounds=9))
