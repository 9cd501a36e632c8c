"""The HTTP service over the current run: lists, baskets, similar articles."""
