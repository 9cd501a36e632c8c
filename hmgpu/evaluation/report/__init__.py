"""Pages to read in a browser: one HTML file each, which loads nothing, runs nothing and needs no network."""
