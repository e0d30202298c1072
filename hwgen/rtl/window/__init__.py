"""The window buffer: rows of spike words in, chunks of every window out."""
