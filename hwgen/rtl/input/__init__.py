"""Input encoders: from pixels or address events to spikes."""
