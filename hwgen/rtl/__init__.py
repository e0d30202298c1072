"""Amaranth components of the generated hardware; hwgen.generation turns them into Verilog."""
