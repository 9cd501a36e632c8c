"""The benchmarks: what each measures, against what, and the table it prints.

One file a benchmark, named after its verb; `rivals/` does the same work the ordinary way, written for comparison alone.
All benchmarks share these rules: contenders get the same inputs and must come to the same result, else nothing is
reported; they take turns in one process, since only runs side by side can be compared on a noisy machine; one run of
each warms up and isn't counted. Only `pipeline` differs: it measures whole runs as a user has them, each in a process
of its own. Models that were fitted on different devices can't be the same; they must be about as good.
"""
