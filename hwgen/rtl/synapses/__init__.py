"""Spike scanners, weight memories and the synapse array: from chunks of spikes to currents."""
