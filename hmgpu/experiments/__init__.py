"""Many runs side by side: folds, comparisons, ablations and searches for settings."""
