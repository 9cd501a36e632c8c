"""Vectors of the articles' pictures and texts: computed by an encoder or imported from a file, kept in the data set.

`encoder.py` is the model, `inputs.py` its inputs, and `encode.py` encodes all articles; `given.py` reads a user's own
vectors; `keep.py` stores vectors in the data set. Parts get them with a History: see `hmgpu.data.store`.
"""
