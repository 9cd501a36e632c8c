"""Draw a small picture of every synthetic article: its silhouette, colour and pattern.

`silhouettes.py` has an outline for every product type (`clothes.py`, `small_things.py`), made of what `outline.py` and
`cuts.py` offer; `cloth.py` renders one once; `patterns.py` has the prints; `draw.py` puts them together and writes the
files.
"""
