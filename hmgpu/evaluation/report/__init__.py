"""Pages to read in a browser, each a single HTML file that loads nothing, runs nothing and needs no network."""
