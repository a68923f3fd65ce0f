"""Disk images: what their files say (pure), and reading and writing them on this machine with Debian's qemu-utils."""
