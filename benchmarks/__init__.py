"""Benchmarks of hwgen. Run one with ``python -m benchmarks.NAME``; ``--help`` lists its options."""
