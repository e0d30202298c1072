"""Output units: from logits to result packets, from membranes to spike counts."""
