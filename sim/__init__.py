"""Drives the generated Verilog in a simulator and compares it with the golden model.

:func:`simulate` of :mod:`.runner` is the way in. The data flow: :mod:`.build` reads what was
generated, :mod:`.expected` writes the words of every stream, :mod:`.bench` the Verilog around the
core, :mod:`.compile` makes a simulator of it, :mod:`.testbench` runs inside that, and
:mod:`.difference` names what was not as expected.

In a checkout this package is ``sim``, in a wheel ``hwgen._sim``: imports within it are relative.
"""
