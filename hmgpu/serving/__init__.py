"""Serve a finished run without its data set: lists by customer id, and everything learned in open formats."""
