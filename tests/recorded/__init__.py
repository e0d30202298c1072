"""Twelve designs whose every figure is on record: a refactoring must not change any of them.

The models' weights and pixels are small binary fractions, so that the sums of a float forward pass
are exact whatever the order in which a machine adds them up.
"""
