"""Matrix factorisation and word vectors: by torch on every device, by libraries on the CPU."""
