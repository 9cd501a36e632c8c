"""The models behind retrievers, feature families and rankers."""
