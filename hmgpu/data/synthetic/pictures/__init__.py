"""Draw a small picture of every synthetic article: its silhouette, colour and pattern.

`silhouettes.py` has an outline for every product type, made of what `outline.py` offers; `cloth.py` renders one once;
`patterns.py` has the prints; `draw.py` puts them together and writes the files.
"""
