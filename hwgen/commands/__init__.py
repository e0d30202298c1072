"""One module per command; each imports PyTorch, NumPy and the like only when it runs."""
