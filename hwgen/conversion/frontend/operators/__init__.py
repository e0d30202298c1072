"""One handler for each ATen operator, before and after core-ATen decomposition.

Importing the package fills :data:`hwgen.conversion.frontend.operators.call.HANDLERS`.
"""

from hwgen.conversion.frontend.operators import activations, linear, maps, pools, views

__all__ = ["activations", "linear", "maps", "pools", "views"]
