"""Experiments with many runs: backtests over folds, comparisons, ablations and searches for settings."""
