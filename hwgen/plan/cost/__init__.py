"""What a plan costs: LUTs, block RAMs, and cycles from measured activity."""
