"""The training of torch models: settings, batches, the loop, what is held out, losses, negatives and weights."""
