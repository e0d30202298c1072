"""Search for the plan that meets a target within a budget."""
