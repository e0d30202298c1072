"""From a float network with scales to integers."""
