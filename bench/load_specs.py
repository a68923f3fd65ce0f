"""How long loading 1,000 hosts and 20 profiles takes, beside what yaml's C loader alone needs for the same files.

python bench/load_specs.py [HOSTS]
"""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import yaml

from reconciler.desired import load

PROFILES = 20
RUNS = 7

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


def best(work: Callable[[], object]) -> float:
    """The shortest of several runs, in seconds."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times)


def main() -> None:
    arguments = sys.argv[1:]
    hosts = 50 if "--small" in arguments else int(arguments[0]) if arguments else 1000
    with tempfile.TemporaryDirectory() as name:
        files = write(Path(name), hosts)
        texts = [file.read_text() for file in files]
        alone = best(lambda: [list(yaml.load_all(text, yaml.CSafeLoader)) for text in texts])
        ours = best(lambda: load([Path(name)]))
    print(f"{hosts} hosts, {PROFILES} profiles, best of {RUNS} runs")
    print(f"yaml's C loader alone  {alone * 1000:7.1f} ms")
    print(f"load and check specs   {ours * 1000:7.1f} ms")
    print(f"ratio                  {ours / alone:7.2f}")


if __name__ == "__main__":
    main()
