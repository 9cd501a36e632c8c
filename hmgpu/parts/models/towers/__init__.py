"""Networks on what NVTabular encoded: towers, softmaxes over articles, and a tree of articles."""
