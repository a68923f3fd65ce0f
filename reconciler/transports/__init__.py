"""Sessions with hosts. Errors of the libraries are translated into faults at this border."""
