"""Simulation of a build folder: every stream of the Verilog against the golden model.

The data flow: :mod:`.expected` writes the expected words of every stream, :mod:`.compile` makes a
simulator of the core and the Verilog around it, :mod:`.run` starts that with the testbench of the
folder ``sim``, :mod:`.difference` names the first deviation, and :mod:`.runner` does all of this.

Nothing is imported here: the simulator's process loads :mod:`.jobs` and :mod:`.simulation_log`.
"""
