"""Torch models built from Merlin's blocks, and the one training loop that they share."""
