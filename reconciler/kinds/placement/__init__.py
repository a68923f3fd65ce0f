"""`placement`: where VCL creates machines in the inventory of a vCenter (VCL's Resource Path and Folder Path)."""

from reconciler.kinds.placement.resource import KIND

__all__ = ["KIND"]
