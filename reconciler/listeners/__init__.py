"""Each hears events; none is known to the working code."""
