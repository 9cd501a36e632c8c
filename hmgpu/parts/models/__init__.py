"""The models that retrievers, features and rankers are made of."""
