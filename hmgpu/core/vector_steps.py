"""The step of stored vectors, for those who need no torch."""

STEPS = 2048
"""Steps between 0 and 1 for the numbers of a stored vector of length 1.

Every product and partial sum of two such vectors is then a whole number below 2^24, which float32 holds exactly, so
that no order of summing, block size or device changes a score.
"""
