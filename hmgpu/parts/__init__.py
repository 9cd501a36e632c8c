"""The parts that a user plugs in: retrievers, feature families, negative samplers, rankers, and their models."""
