"""Turn raw files into a Store, and give every part its History."""
