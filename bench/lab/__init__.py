"""What the programs of the bench share: simulated hosts, measuring, tables, and the others to compare with."""

AT_A_TIME = 50
"""So many hosts are in hand at once, for every client."""
