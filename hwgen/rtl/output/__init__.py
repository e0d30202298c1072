"""From logits to result packets."""
