"""A strict subset of busybox ash, run inside the simulator: no real process, no real file.

Text is held as str; bytes that are no UTF-8 travel as surrogates, so that nothing is lost on the way.
"""
