"""Who is to answer over the SDK, as the spec says it. Loaded only where a session is opened: pyVmomi comes with it."""

from __future__ import annotations

from reconciler import secrets
from reconciler.desired.model import ApiAccess
from reconciler.transports.sdk.target import ApiType, SdkTarget


def api_target(access: ApiAccess, name: str, address: str, field: str, api: ApiType) -> SdkTarget:
    """A host's agent or a vCenter, whose access has a password. `field` is where that stands in the spec."""
    password = access.password
    assert password is not None
    return SdkTarget(
        host=name,
        address=address,
        port=access.port,
        user=access.user,
        password=lambda: secrets.resolve(password),
        password_source=str(password),
        thumbprint=access.thumbprint,
        ca_file=access.ca_file,
        insecure=access.insecure,
        legacy_algorithms=access.legacy_algorithms,
        field=field,
        api=api,
    )
