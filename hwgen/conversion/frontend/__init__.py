"""From a model file to an :class:`hwgen.conversion.op_graph.OpGraph`."""
