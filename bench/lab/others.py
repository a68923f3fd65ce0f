"""How others do the reads of a dry run: OpenSSH in a loop, bare paramiko, Ansible, pyinfra; 50 at a time."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from bench.lab import AT_A_TIME, processes
from bench.lab.contest import Contestant
from bench.lab.hosts import Hosts

SSH = f"ssh, {AT_A_TIME} at a time"
LOOP = """\
exec ssh -F none -T -o BatchMode=yes -o IdentitiesOnly=yes -o IdentityFile={key} -o StrictHostKeyChecking=yes \
-o GlobalKnownHostsFile=none -o UserKnownHostsFile="$1.known" -p "$3" root@"$2" sh < "$1.sh" > /dev/null
"""
PLAYBOOK = """\
- hosts: all
  gather_facts: false
  tasks:
    - ansible.builtin.raw: "{{ lookup('ansible.builtin.file', script) }}"
"""
DEPLOY = """\
from pathlib import Path

from pyinfra import host
from pyinfra.operations import server

server.shell(name="reads", commands=[Path(host.data.script).read_text()])
"""


def reads(hosts: Hosts) -> Path:
    """A folder with the reads of a dry run over all hosts, as `bench.lab.reads` writes it."""
    out = hosts.folder / "reads"
    if not out.exists():
        processes.run(
            [sys.executable, "-m", "bench.lab.reads", str(hosts.specs), str(hosts.folder), str(out)]
        )
    return out


def openssh(hosts: Hosts) -> Contestant:
    """One `ssh` process a host, each with one exec."""
    folder = reads(hosts)
    loop = LOOP.format(key=_key(hosts))
    command = ["xargs", "-a", "hosts.txt", "-P", str(AT_A_TIME), "-L", "1", "sh", "-c", loop, "sh"]
    return Contestant(["env", "-C", str(folder), *command])


def bare_paramiko(hosts: Hosts) -> Contestant:
    """One process that does nothing but the reads."""
    return Contestant([sys.executable, "-m", "bench.lab.bare_paramiko", str(reads(hosts)), _key(hosts)])


def ansible(hosts: Hosts, environment: Path) -> Contestant:
    """One `raw` task. Connections are not kept open in the background: that would be a warm second run."""
    folder = reads(hosts)
    (folder / "playbook.yaml").write_text(PLAYBOOK)
    known = folder / "known_hosts"
    known.write_text("".join(file.read_text() for file in sorted(folder.glob("*.known"))))
    inventory = {
        name: {"ansible_host": address, "ansible_port": port, "script": script}
        for name, address, port, script in _listed(folder)
    }
    (folder / "inventory.yaml").write_text(json.dumps({"all": {"hosts": inventory}}))
    settings = {
        "ANSIBLE_FORKS": str(AT_A_TIME),
        "ANSIBLE_PIPELINING": "true",
        "ANSIBLE_HOME": str(folder / "ansible"),
        "ANSIBLE_INVENTORY_ENABLED": "yaml",
        "ANSIBLE_PRIVATE_KEY_FILE": _key(hosts),
        "ANSIBLE_REMOTE_USER": "root",
        "ANSIBLE_SSH_ARGS": f"-F none -o ControlMaster=no -o IdentitiesOnly=yes -o UserKnownHostsFile={known}",
        "ANSIBLE_SSH_USETTY": "false",
        "ANSIBLE_STDOUT_CALLBACK": "minimal",
        "LC_ALL": "C.UTF-8",
    }
    program = str(environment / "bin" / "ansible-playbook")
    return Contestant(
        [program, "-i", str(folder / "inventory.yaml"), str(folder / "playbook.yaml")], settings
    )


def pyinfra(hosts: Hosts, environment: Path) -> Contestant:
    """One `server.shell`."""
    folder = reads(hosts)
    (folder / "deploy.py").write_text(DEPLOY)
    entries = [
        (
            name,
            {
                "ssh_hostname": address,
                "ssh_port": port,
                "ssh_user": "root",
                "ssh_key": _key(hosts),
                "ssh_known_hosts_file": script.removesuffix(".sh") + ".known",
                "ssh_strict_host_key_checking": "yes",
                "ssh_config_file": "/dev/null",
                "script": script,
            },
        )
        for name, address, port, script in _listed(folder)
    ]
    (folder / "inventory.py").write_text(f"hosts = {entries!r}\n")
    options = ["-y", "--parallel", str(AT_A_TIME), str(folder / "inventory.py"), str(folder / "deploy.py")]
    return Contestant([str(environment / "bin" / "pyinfra"), *options])


def _key(hosts: Hosts) -> str:
    return str(hosts.folder / "keys" / "root.key")


def _listed(folder: Path) -> list[tuple[str, str, int, str]]:
    """Name, address, port and file of its reads, of each host."""
    words = [line.split() for line in (folder / "hosts.txt").read_text().splitlines()]
    return [(name, address, int(port), str(folder / f"{name}.sh")) for name, address, port in words]
