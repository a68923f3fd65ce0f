"""Specs from the database of an Apache VCL installation."""
