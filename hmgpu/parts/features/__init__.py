"""Feature families: each file describes candidates to a ranker by some columns."""
