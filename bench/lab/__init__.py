"""What the programs of the bench share: simulated hosts, measuring, tables, and the others that we are compared with."""
