"""The cycle model: one process for each unit of :mod:`hwgen.rtl`, which times its words.

Latencies are those of :mod:`hwgen.plan.units.latencies`; tests compare the model with simulation.
"""
