"""The vSphere SDK of a simulated host: the same state as its SSH side, over real HTTPS and SOAP.

Types and their spelling come from pyVmomi, which is a third party here as it is there. Which calls there are: those of
which the API reference says that ESXi's own agent has them, as far as anybody needs them here; all others are refused.
"""
