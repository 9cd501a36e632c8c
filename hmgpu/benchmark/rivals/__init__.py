"""The ordinary way: what a data scientist would write with pandas and torch alone. Nothing but benchmarks uses it."""
