"""What the programs of the bench share: simulated hosts, measuring, tables, and the others to compare with."""
