"""Specs from live hosts."""
