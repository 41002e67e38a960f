"""Two commits measured in turn on one machine, by the same workloads."""
