"""RelBench's protocol for H&M: its three tasks, its prediction tables and its metrics."""
