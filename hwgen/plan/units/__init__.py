"""Sizes of every unit: geometry, widths, memories, buffers, constants."""
