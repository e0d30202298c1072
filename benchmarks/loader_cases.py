"""Fuzz targets: one entry of LOADERS per file that hwgen reads and somebody else may have made.

A new loader needs one entry: how a valid folder is made, which of its files is mutated, how it is
read, and what two equal readings have in common.
"""

from benchmarks.loader_builds import BUILDS
from benchmarks.loader_data import DATA
from benchmarks.loader_networks import NETWORKS

LOADERS = (*NETWORKS, *DATA, *BUILDS)
