"""Negative samplers: each file is one way to sample articles that a customer did not buy."""
