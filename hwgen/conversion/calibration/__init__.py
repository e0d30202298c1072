"""Figures of a float network on calibration images: scales, levels; training without labels."""
