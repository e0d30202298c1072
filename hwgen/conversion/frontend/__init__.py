"""From a model file to an :class:`OpGraph`."""
