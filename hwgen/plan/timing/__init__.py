"""When each unit of the RTL moves its words: a process for each file of :mod:`hwgen.rtl`.

The latencies are those that the RTL's docstrings state; tests hold the two against each other.
"""
