"""How good recommendations are, and the report that says so."""
