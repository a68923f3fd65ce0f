"""Sessions with hosts. Errors of the libraries are translated into faults at this border."""

import sys

# Where it is to be had, paramiko loads invoke, and with it asyncio and unittest, for one keyword of ssh_config. That is
# never read here, and costs a tenth of a second at each start.
sys.modules.setdefault("invoke", None)  # type: ignore[arg-type]
