"""Stream components: credit FIFO, skid buffer, fork, nested counters, reset sequencer."""
