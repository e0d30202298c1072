"""From an :class:`OpGraph` to a :class:`FloatGraph`: batch norms, averages and merges."""
