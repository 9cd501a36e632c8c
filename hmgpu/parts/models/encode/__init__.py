"""NVTabular workflows that encode customers and articles for the neural models."""
