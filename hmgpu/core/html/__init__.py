"""HTML pages that open without a network: what they are made of, and how it is drawn."""
