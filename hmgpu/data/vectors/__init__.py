"""Vectors of the articles' pictures and texts: made by an encoder, or somebody's own, kept in the data set.

`make.py` is the two ways to them. `encoder.py` is the model, `inputs.py` what it is given, `encode.py` how it goes over
all articles; `given.py` reads what somebody has; `keep.py` puts vectors into the data set. Parts get them with a
History: see `hmgpu.data.store`.
"""
