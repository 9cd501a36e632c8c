"""Vectors of customers and articles: how they are found without a network, searched, grouped and compared."""
