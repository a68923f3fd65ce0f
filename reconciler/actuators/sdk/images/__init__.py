"""Copies of master images over the vSphere SDK, below the same lock of the volume that the SSH hands take."""
