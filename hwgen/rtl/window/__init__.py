"""Window buffers: rows of spike words in, chunks of windows out."""
