"""What a user plugs in: retrievers, features, negative samplers and rankers, and the models they are made of."""
