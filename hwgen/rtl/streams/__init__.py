"""Stream components: FIFOs, skid buffers, forks, loop nests, reset."""
