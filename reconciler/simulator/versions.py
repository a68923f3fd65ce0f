"""What differs between the versions of ESXi that are simulated: names, numbers, algorithms, boot modules.

Facts are from field captures (`vmware -v`, `esxcli system version get`, `uname -a`, sshd_config) and VMware's
documentation. Inferred: banners and build dates of versions without a capture; `9.0` follows 8.0 but for its name,
since there are no captures of 9.x. Algorithm lists of 5.x and 6.x are the defaults of the OpenSSH shipped, as far as
asyncssh and the installed cryptography offer them; DSA host keys are left out, since no present client takes them.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

NIST = ("ecdh-sha2-nistp256", "ecdh-sha2-nistp384", "ecdh-sha2-nistp521")
ECDSA = ("ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521")
CTR = ("aes256-ctr", "aes192-ctr", "aes128-ctr")
GCM = ("aes256-gcm@openssh.com", "aes128-gcm@openssh.com")


@dataclass(frozen=True)
class Algorithms:
    """What an sshd offers. `signatures` are those it takes from user keys; `extension`: it says so (RFC 8308).

    `password`: it takes passwords as such; the others ask for them as keyboard-interactive.
    """

    banner: str
    kex: tuple[str, ...]
    ciphers: tuple[str, ...]
    macs: tuple[str, ...]
    signatures: tuple[str, ...]
    host_keys: tuple[str, ...]
    extension: bool = False
    fips: bool = False
    password: bool = False


DROPBEAR = Algorithms(
    "dropbear_0.52",
    ("diffie-hellman-group1-sha1", "diffie-hellman-group14-sha1"),
    ("aes128-cbc", "3des-cbc"),
    ("hmac-sha1", "hmac-md5"),
    ("ssh-rsa", "ssh-dss"),
    ("ssh-rsa",),
    password=True,
)
OPENSSH_5 = Algorithms(
    "OpenSSH_5.6",
    (
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group-exchange-sha1",
        "diffie-hellman-group14-sha1",
        "diffie-hellman-group1-sha1",
    ),
    ("aes128-ctr", "aes192-ctr", "aes256-ctr", "3des-cbc"),
    ("hmac-sha1", "hmac-sha1-96"),
    ("ssh-rsa", "ssh-dss"),
    ("ssh-rsa",),
)
OPENSSH_6 = Algorithms(
    "OpenSSH_6.6.1",
    ("diffie-hellman-group-exchange-sha256", "diffie-hellman-group14-sha1"),
    ("aes128-ctr", "aes192-ctr", "aes256-ctr", "3des-cbc"),
    ("hmac-sha2-256", "hmac-sha2-512", "hmac-sha1", "hmac-sha1-96"),
    ("ssh-rsa", "ssh-dss"),
    ("ssh-rsa",),
)
# DSA is gone since 6.0 U2
OPENSSH_6_U2 = replace(OPENSSH_6, signatures=("ssh-rsa",))
OPENSSH_7 = Algorithms(
    "OpenSSH_7.7",
    (
        *NIST,
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group14-sha256",
        "diffie-hellman-group14-sha1",
    ),
    (*GCM, *CTR),
    ("hmac-sha2-256", "hmac-sha2-512", "hmac-sha1"),
    (*ECDSA, "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
    ("ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
    extension=True,
)
OPENSSH_8 = Algorithms(
    "OpenSSH_8.3",
    OPENSSH_7.kex[:-1],
    (*GCM, *CTR),
    ("hmac-sha2-256", "hmac-sha2-512"),
    OPENSSH_7.signatures,
    ("ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa"),
    extension=True,
    fips=True,
)
OPENSSH_9 = Algorithms(
    "OpenSSH_9.1",
    (
        *NIST,
        "diffie-hellman-group-exchange-sha256",
        "diffie-hellman-group16-sha512",
        "diffie-hellman-group18-sha512",
        "diffie-hellman-group14-sha256",
    ),
    (*GCM, *CTR),
    ("hmac-sha2-256", "hmac-sha2-512"),
    (*ECDSA, "rsa-sha2-256", "rsa-sha2-512"),
    ("ecdsa-sha2-nistp256", "rsa-sha2-256", "rsa-sha2-512"),
    extension=True,
    fips=True,
)


@dataclass(frozen=True)
class Release:
    """One version. `lock` is (failures, seconds) after which an account is locked, or None (field guide 13)."""

    name: str
    version: tuple[int, int, int]
    build: str
    level: str
    update: str
    patch: str | None
    built: str
    algorithms: Algorithms
    modules: tuple[str, ...]
    boot_build: str
    lock: tuple[int, int] | None = None
    product: str = "VMware ESXi"

    @property
    def number(self) -> str:
        """`6.7.0`."""
        return ".".join(str(part) for part in self.version)

    def since(self, *version: int) -> bool:
        return self.version >= version

    @property
    def keys_path(self) -> str:
        """Where root's authorized_keys lies (field guide, section 4)."""
        return "/etc/ssh/keys-root/authorized_keys" if self.since(5) else "/.ssh/authorized_keys"

    @property
    def ssh_service(self) -> str:
        """The name of the SSH service in chkconfig and /etc/init.d."""
        return "SSH" if self.since(5) else "TSM-SSH"

    @property
    def encrypted(self) -> bool:
        """Whether the saved state is encrypted: 7.0 U2 and later."""
        return self.since(7, 0, 2)

    @property
    def max_volumes(self) -> int:
        """Default of NFS.MaxVolumes."""
        return 32 if self.since(7) else 8


M41 = ("k.z", "s.z", "c.z", "oem.tgz", "license.tgz", "m.z", "state.tgz", "vpxa.vgz")
M50 = ("b.b00", "useropts.gz", "k.b00", "a.b00", "ata-pata.v00", "imgdb.tgz", "state.tgz")
M60 = ("b.b00", "jumpstrt.gz", "useropts.gz", "k.b00", "imgdb.tgz", "state.tgz")
M67 = ("jumpstrt.gz", "useropts.gz", "features.gz", "k.b00", "imgdb.tgz", "state.tgz")
M80 = (
    "jumpstrt.gz",
    "useropts.gz",
    "features.gz",
    "k.b00",
    "imgdb.tgz",
    "basemisc.tgz",
    "resvibs.tgz",
    "esxiodpt.tgz",
    "imgpayld.tgz",
    "state.tgz",
)
LOCK = (5, 900)

RELEASES: dict[str, Release] = {
    release.name: release
    for release in (
        Release(
            "4.1",
            (4, 1, 0),
            "348481",
            "Update 1",
            "1",
            None,
            "Jan 12 2011 20:16:12",
            DROPBEAR,
            M41,
            "4.1.0-348481",
        ),
        Release(
            "5.0",
            (5, 0, 0),
            "469512",
            "GA",
            "0",
            None,
            "Aug 11 2011 11:38:18",
            OPENSSH_5,
            M50,
            "5.0.0-469512",
        ),
        Release(
            "5.1",
            (5, 1, 0),
            "799733",
            "GA",
            "0",
            None,
            "Aug  1 2012 14:10:02",
            OPENSSH_5,
            M50,
            "5.1.0-799733",
        ),
        Release(
            "5.5",
            (5, 5, 0),
            "3248547",
            "Update 3",
            "3",
            None,
            "Nov 13 2015 14:04:23",
            OPENSSH_6,
            M50,
            "5.5.0-3248547",
        ),
        Release(
            "6.0",
            (6, 0, 0),
            "5050593",
            "Update 3",
            "3",
            "57",
            "Feb 11 2017 04:35:10",
            OPENSSH_6_U2,
            M60,
            "6.0.0-3.57.5050593",
            (10, 120),
        ),
        Release(
            "6.5",
            (6, 5, 0),
            "5969303",
            "Update 1",
            "1",
            "26",
            "Jul  6 2017 19:41:51",
            OPENSSH_7,
            M67,
            "6.5.0-1.26.5969303",
            LOCK,
        ),
        Release(
            "6.7",
            (6, 7, 0),
            "14320388",
            "Update 3",
            "3",
            "73",
            "Aug  5 2019 02:58:34",
            OPENSSH_7,
            M67,
            "6.7.0-3.73.14320388",
            LOCK,
        ),
        Release(
            "7.0",
            (7, 0, 3),
            "20036589",
            "Update 3",
            "3",
            "50",
            "Jun 22 2022 02:55:09",
            OPENSSH_8,
            M67,
            "7.0.3-0.50.20036589",
            LOCK,
        ),
        Release(
            "8.0",
            (8, 0, 2),
            "22380479",
            "Update 2",
            "2",
            "0",
            "Sep  4 2023 15:00:49",
            OPENSSH_9,
            M80,
            "8.0.2-0.0.22380479",
            LOCK,
        ),
        Release(
            "9.0",
            (9, 0, 0),
            "24755229",
            "GA",
            "0",
            "0",
            "May 28 2025 12:00:00",
            OPENSSH_9,
            M80,
            "9.0.0-0.0.24755229",
            LOCK,
            "VMware ESX",
        ),
    )
}
