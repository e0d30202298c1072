"""MLPerf Tiny's keyword-spotting network, and recordings of synthetic words to train it on.

A word is two or three gliding tones; speakers differ in pitch, speed, loudness and noise. Features
are 10 log-energies in each of 49 frames, as bytes with a mean far from 0: that is what makes
keyword spotting hard to convert.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

WORDS = 12
FRAMES, BANDS = 49, 10
CHANNELS, BLOCKS = 64, 4
RATE, HOP, WINDOW = 8000, 160, 320  # samples per second, between frames, and in a frame


@dataclass(frozen=True)
class Training:
    """Schedule of the training (:class:`benchmarks.training.Schedule`)."""

    learning_rate: float = 0.005
    weight_decay: float = 0.01
    batch: int = 64
    seed: int = 0


class DsCnn(nn.Sequential):
    """DS-CNN of MLPerf Tiny: a convolution of 10 × 4, four separable blocks, a global average."""

    def __init__(self) -> None:
        layers: list[nn.Module] = [
            nn.Conv2d(1, CHANNELS, (10, 4), 2, (5, 1)), nn.BatchNorm2d(CHANNELS), nn.ReLU(),
        ]  # fmt: skip
        for _ in range(BLOCKS):
            layers += [
                nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, groups=CHANNELS),
                nn.BatchNorm2d(CHANNELS),
                nn.ReLU(),
                nn.Conv2d(CHANNELS, CHANNELS, 1),
                nn.BatchNorm2d(CHANNELS),
                nn.ReLU(),
            ]
        super().__init__(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(CHANNELS, WORDS))


def recordings(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Features, uint8 (count, 1, 49, 10), and words, int64 (count,)."""
    words = np.random.default_rng(7)  # the same in every set
    starts = words.uniform(200, 3000, (WORDS, 3))
    glides = words.uniform(-800, 800, (WORDS, 3))
    rng = np.random.default_rng([seed, 1])
    labels = rng.integers(0, WORDS, count)
    time = np.arange(FRAMES * HOP + WINDOW - HOP) / RATE
    features = np.empty((count, 1, FRAMES, BANDS))
    for index, word in enumerate(labels):
        pitch, speed = rng.normal(1, 0.12), rng.normal(1, 0.3)
        sound = rng.normal(0, 2.0, len(time))
        for start, glide in zip(starts[word], glides[word]):
            frequency = pitch * (start + glide * speed * time)
            sound += np.sin(2 * np.pi * np.cumsum(frequency) / RATE + rng.uniform(0, 6.28))
        features[index, 0] = _log_energies(sound * rng.uniform(0.2, 1))
    return np.clip(np.round(170 + 12 * features), 0, 255).astype(np.uint8), labels


def normalised(features: np.ndarray) -> torch.Tensor:
    """Input of the model: (x / 255 − mean) / std."""
    return (torch.from_numpy(features).float() / 255 - MEAN) / STD


MEAN, STD = 0.75, 0.12


def _log_energies(sound: np.ndarray) -> np.ndarray:
    starts = HOP * np.arange(FRAMES)[:, np.newaxis]
    frames = sound[starts + np.arange(WINDOW)] * np.hanning(WINDOW)
    power = np.square(np.abs(np.fft.rfft(frames, axis=1)))[:, :-1]
    return np.asarray(np.log(power.reshape(FRAMES, BANDS, -1).mean(axis=2) + 1e-3))
