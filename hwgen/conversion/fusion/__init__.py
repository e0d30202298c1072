"""From the graph of operators to the float graph: batch norms, averages and merges.

:class:`hwgen.conversion.op_graph.OpGraph` is the input,
:class:`hwgen.conversion.float_graph.FloatGraph` the output.
"""
