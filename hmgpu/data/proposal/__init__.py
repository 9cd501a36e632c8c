"""Propose a config for a retailer's own files, from what stands in them."""
