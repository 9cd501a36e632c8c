"""Vectors of the articles' pictures and texts: computed by an encoder or imported from a file, kept in the data set.

`load_encoder.py` chooses between `picture_encoder.py` (timm) and `sentence_encoder.py` (sentence-transformers), both of
which are as `encoder.py` says; `inputs.py` has their inputs, and `encode.py` encodes all articles; `given.py` reads a
user's own vectors; `keep.py` stores vectors in the data set. Parts get them with a History: see `hmgpu.data.store`.
"""
