"""One handler for each operator of a traced model."""
