"""What is measured, against what, and the table it prints.

One file a benchmark, named after its verb; `rivals/` holds the ordinary way of doing the same, written for comparison
alone. Of every benchmark the same is true: contenders get the same inputs and must come to the same result, else
nothing is reported; they take turns in one process, since only what ran side by side can be compared on a noisy
machine; one run of each warms up and isn't counted. `pipeline` alone differs: it measures whole runs as a user has
them, each in a process of its own. Models that were fitted on different devices can't be the same; of them it is
asserted that they are about as good.
"""
