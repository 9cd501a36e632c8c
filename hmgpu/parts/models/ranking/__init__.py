"""Networks that rank candidates."""
