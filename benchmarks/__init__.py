"""Benchmarks of hwgen. Run one with ``python -m benchmarks.NAME``; ``--help`` lists its options."""

import os
import sys
from pathlib import Path

# Read by NumPy and PyTorch when they are imported, which is after this package.
os.environ.setdefault("OMP_NUM_THREADS", "2")
# cocotb and Verilator start `python` by name.
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
