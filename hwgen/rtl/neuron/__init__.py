"""Membrane units: from the currents of windows to spikes or logits."""
