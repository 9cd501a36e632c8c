"""Evaluate recommendations: figures of their quality, and the report that shows them."""
