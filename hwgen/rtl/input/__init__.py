"""Input encoders: pixels or address events to spikes."""
