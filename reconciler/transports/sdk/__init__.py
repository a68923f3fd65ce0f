"""Sessions over the vSphere SDK (pyVmomi), with a host or a vCenter. Errors of others are translated at this border."""

from reconciler.transports.sdk.answers import MethodFault, NoRight, Passing, Restricted
from reconciler.transports.sdk.https import HttpAnswer
from reconciler.transports.sdk.properties import HOST_DATASTORES, HOST_VMS, Row, Through, Want
from reconciler.transports.sdk.session import About, SdkSession, connect
from reconciler.transports.sdk.target import SdkTarget

__all__ = [
    "HOST_DATASTORES",
    "HOST_VMS",
    "About",
    "HttpAnswer",
    "MethodFault",
    "NoRight",
    "Passing",
    "Restricted",
    "Row",
    "SdkSession",
    "SdkTarget",
    "Through",
    "Want",
    "connect",
]
