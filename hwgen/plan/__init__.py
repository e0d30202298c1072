"""Hardware plans: sizes of all units, their cost and timing, and the search for the best plan."""
