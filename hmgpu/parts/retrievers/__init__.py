"""Retrievers: each file proposes candidate articles for customers in one way."""
