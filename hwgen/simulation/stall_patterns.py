"""Names of the stall patterns that ``sim/hwgen_stall_patterns.py`` defines."""

STALL_PATTERNS = ("none", "random", "adversarial")
