"""Everything that knows nothing of fashion: the engine, plans, files, errors, the console and HTML pages."""
