"""What a process does on a timer for all partitions: reads gauges, heals, ends retentions."""
