"""Hardware options and stall patterns for simulations of whole designs."""

from __future__ import annotations

import numpy as np

STALLS = ("random", "adversarial")


def random_options(seed: int) -> dict[str, object]:
    """Random options of `generate` for a seed; the schedule changes every four seeds."""
    rng = np.random.default_rng([seed, 77])
    return {
        "lanes": int(rng.choice([1, 2, 3, 5, 8, 16])),
        "scanners": int(rng.choice([1, 1, 2, 3])),
        "schedule": ("row", "time")[seed // 4 % 2],
        "pipeline": str(rng.choice(["alternate", "overlap"])),
        "input_width": int(rng.choice([16, 32, 64, 128, 256, 512])),
        "counters": bool(rng.integers(2)),
    }
