"""Torch models built from Merlin's blocks, their training loop, and other models that put articles into vectors."""
