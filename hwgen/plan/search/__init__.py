"""Search for the cheapest plan that meets a target within a budget."""
