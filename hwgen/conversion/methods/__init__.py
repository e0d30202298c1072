"""The conversion methods of the papers."""
