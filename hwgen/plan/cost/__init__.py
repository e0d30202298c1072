"""Cost of a plan: LUTs, block RAMs, and cycles from recorded spikes."""
