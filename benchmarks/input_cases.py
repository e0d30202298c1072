"""Ways to give images and labels: what benchmarks/inputs.py tries, and what should come of each."""

from benchmarks.input_files import FILES
from benchmarks.input_memory import IN_MEMORY
from benchmarks.input_refused import REFUSED

CASES = IN_MEMORY + FILES + REFUSED
