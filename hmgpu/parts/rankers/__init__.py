"""Rankers: each file puts a customer's candidates in order in one way."""
