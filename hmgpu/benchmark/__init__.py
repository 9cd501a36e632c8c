"""What is measured, against what, and the table it prints.

One file a benchmark, named after its verb; `rivals/` holds the ordinary way of doing the same, written for comparison
alone. Of every benchmark the same is true: contenders get the same inputs and must come to the same result, else
nothing is reported; they take turns in one process, since only what ran side by side can be compared on a noisy
machine; one run of each warms up and isn't counted.
"""
