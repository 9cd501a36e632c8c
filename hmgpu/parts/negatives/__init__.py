"""Negative samplers: each file draws articles that a customer did not buy in one way."""
