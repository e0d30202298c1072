"""Analyses of a network that return data and change nothing: widths, folding, weights, cycles."""
