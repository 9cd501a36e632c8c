"""Retrievers: each file is one way to propose candidate articles for customers."""
