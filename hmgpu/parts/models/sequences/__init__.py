"""Networks on what customers bought, in its order."""
