"""Specs from what is there already: a VCL database, a live host."""
