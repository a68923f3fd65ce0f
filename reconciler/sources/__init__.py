"""Where specs come from: one revision in force, the last good one kept."""
