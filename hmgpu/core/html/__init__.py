"""HTML pages that open without a network: their blocks, and how templates draw them."""
