"""An ensemble that finds its members, their settings and their weights by itself."""
