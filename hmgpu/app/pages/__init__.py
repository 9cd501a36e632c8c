"""The pages of the app, one a file; each has `show`, which draws it."""
