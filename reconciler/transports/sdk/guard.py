"""The border to pyVmomi: whatever it raises is told in our own words."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any, TypeVar

from pyVmomi import vmodl as typed_vmodl

from reconciler.faults import Fault, Unreachable
from reconciler.transports.sdk.answers import MethodFault, Passing, translated
from reconciler.transports.sdk.https import AWAY, TRY_LATER, broken
from reconciler.transports.sdk.line import Line

T = TypeVar("T")
vmodl: Any = typed_vmodl
_STATUS = re.compile(r"([1-5]\d\d) ")


def guarded(line: Line, work: Callable[[], T]) -> T:
    """Do something with pyVmomi. Raises MethodFault for what the API answers, faults.Unreachable for a link that broke
    and for what is no answer. An error before anything was sent is ours, and passes as it is."""
    sent = line.sent
    try:
        return work()
    except (vmodl.MethodFault, vmodl.RuntimeFault) as fault:
        raise translated(fault) from fault
    except (Fault, MethodFault):
        raise
    except http.client.HTTPException as error:
        raise _of_http(line, error) from error
    except OSError as error:
        raise broken(line.target, error) from error
    except Exception as error:
        if line.sent == sent:
            raise
        raise broken(line.target, error) from error


def _of_http(line: Line, error: http.client.HTTPException) -> Fault | MethodFault:
    """pyVmomi says `HTTPException("503 Service Unavailable")` for a status that is none of SOAP's."""
    status = _STATUS.match(str(error)) if type(error) is http.client.HTTPException else None
    if status is None:
        return broken(line.target, error)
    if int(status[1]) in AWAY:
        return Passing("http", str(error))
    return Unreachable(f"{line.target.place}: where the vSphere API was it now says {error}", next=TRY_LATER)
