"""Membranes: from currents to spikes or logits."""
