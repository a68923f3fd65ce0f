"""The virtual machines of simulated hosts: their files, how they run, and what they lock."""
