"""A desired-state controller for VMware ESX/ESXi hosts."""

__version__ = "0.1.0"
