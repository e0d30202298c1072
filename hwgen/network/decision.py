"""The class that logits stand for: spiking networks and float models decide alike."""

from __future__ import annotations

import numpy as np


def class_count(logits: int) -> int:
    """Number of classes that ``logits`` numbers decide between: a single one, between two."""
    return 2 if logits == 1 else logits


def decide(logits: np.ndarray) -> np.ndarray:
    """Class of each sample, int64 (samples,), from its logits (samples, logits).

    The class is the index of the largest logit; the lowest index wins a tie. A single logit z is
    that of class 1: the class is 1 where z > 0 (as sigmoid(z) > 0.5), and 0 where z ≤ 0.
    """
    if logits.shape[1] == 1:
        return (logits[:, 0] > 0).astype(np.int64)
    return np.asarray(logits.argmax(axis=1), np.int64)
