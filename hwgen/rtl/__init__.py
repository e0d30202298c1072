"""Amaranth components of the generated hardware and their assembly into Verilog."""
