"""From chunks of spikes to currents."""
