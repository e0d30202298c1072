"""Models with each kind of operator, on images of shape (3, 12, 12) and with 5 classes."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F

S = nn.Sequential


def head(features: int, classes: int = 5) -> nn.Sequential:
    return S(nn.Flatten(), nn.Linear(features, classes))


MODELS = {
    "linear": lambda: head(432),
    "two linear, merged": lambda: S(nn.Flatten(), nn.Linear(432, 7), nn.Linear(7, 5)),
    "bias=False": lambda: S(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), head(400)),
    "stride": lambda: S(nn.Conv2d(3, 4, 3, stride=(2, 3), padding=1), nn.ReLU(), head(96)),
    "groups": lambda: S(nn.Conv2d(3, 6, 3, groups=3, padding=1), nn.ReLU(), head(864)),
    "same": lambda: S(nn.Conv2d(3, 4, (2, 4), padding="same"), nn.ReLU(), head(576)),
    "valid": lambda: S(nn.Conv2d(3, 4, 3, padding="valid"), nn.ReLU(), head(400)),
    "bn after conv": lambda: S(
        nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4, eps=0.1), nn.ReLU(), head(576)
    ),
    "bn before conv": lambda: S(nn.BatchNorm2d(3), nn.Conv2d(3, 4, 3), nn.ReLU(), head(400)),
    "bn after relu": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 3), nn.ReLU(), head(128)
    ),
    "bn after pool": lambda: S(
        nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.ReLU(), head(100)
    ),
    "bn on features": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.BatchNorm1d(400), nn.Linear(400, 5)
    ),
    "bn after linear": lambda: S(
        nn.Flatten(), nn.Linear(432, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 5)
    ),
    "bn on pixels": lambda: S(nn.Flatten(), nn.BatchNorm1d(432), nn.Linear(432, 5)),
    "bn without affine": lambda: S(
        nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, affine=False), nn.ReLU(), head(400)
    ),
    "relu6": lambda: S(nn.Conv2d(3, 4, 3), nn.ReLU6(), head(400)),
    "hardtanh": lambda: S(nn.Conv2d(3, 4, 3), nn.Hardtanh(0, 0.3), head(400)),
    "max-pool": lambda: S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.MaxPool2d(3, 2, 1), head(100)),
    "max-pool, ceil": lambda: S(
        nn.Conv2d(3, 4, 4), nn.ReLU(), nn.MaxPool2d(2, ceil_mode=True), head(100)
    ),
    "max-pool before relu": lambda: S(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.ReLU(), head(100)),
    "max-pool of pixels": lambda: S(nn.MaxPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(), head(64)),
    "adaptive max": lambda: S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveMaxPool2d(2), head(16)),
    "average before linear": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(3, 2), nn.BatchNorm2d(4), head(64)
    ),
    "average before conv": lambda: S(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.AvgPool2d(2), nn.BatchNorm2d(4),
        nn.Conv2d(4, 4, 3), nn.ReLU(), head(64),
    ),
    "average, padded": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(3, 2, padding=1), nn.Conv2d(4, 4, 3),
        nn.ReLU(), head(36),
    ),
    "average, divisor": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2, divisor_override=3), nn.BatchNorm2d(4),
        head(100),
    ),
    "average after conv": lambda: S(nn.Conv2d(3, 4, 3), nn.AvgPool2d(2), nn.ReLU(), head(100)),
    "average of pixels": lambda: S(nn.AvgPool2d(2), nn.Conv2d(3, 4, 3), nn.ReLU(), head(64)),
    "average before max": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2, 1), nn.MaxPool2d(2), head(64)
    ),
    "two averages": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(2), nn.AvgPool2d(2), head(16)
    ),
    "global average": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), head(4)
    ),
    "global average of logits": lambda: S(
        nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 5, 3, padding=1),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(),
    ),
    "average, then 1×1 classifier": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 5, 1), nn.Flatten()
    ),
    "logits are averages": lambda: S(
        nn.Conv2d(3, 5, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    ),
    "adaptive average": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(5), head(100)
    ),
    "two convs, merged": lambda: S(
        nn.Conv2d(3, 4, 3, 2, padding=1), nn.Conv2d(4, 4, 3), nn.ReLU(), head(64)
    ),
    "two convs, padding merged": lambda: S(
        nn.Conv2d(3, 4, 2, 2, bias=False), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), head(144)
    ),
    "padded twice, merged": lambda: S(
        nn.Conv2d(3, 4, 2, 3, padding=1, bias=False), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(),
        head(100),
    ),
    "grouped convs, merged": lambda: S(
        nn.Conv2d(3, 6, 3, groups=3), nn.Conv2d(6, 6, 3, stride=2, groups=6),
        nn.Conv2d(6, 4, 1), nn.ReLU(), head(64),
    ),
    "conv before linear": lambda: S(nn.Conv2d(3, 4, 3, 2, padding=1), head(144)),
    "dropout": lambda: S(nn.Dropout2d(), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout(), head(400)),
    "dropout in place": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Dropout2d(inplace=True), nn.Flatten(),
        nn.Dropout(inplace=True), nn.Linear(400, 5),
    ),
    "identity": lambda: S(nn.Identity(), nn.Conv2d(3, 4, 3), nn.ReLU(), head(400)),
    "affine, relu": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.ReLU(), head(400)
    ),
    "relu twice": lambda: S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.ReLU(), head(400)),
    "zero padding": lambda: S(
        nn.Conv2d(3, 4, 3), nn.ReLU(), nn.ZeroPad2d((0, 1, 1, 0)), nn.Conv2d(4, 4, 2), nn.ReLU(),
        head(400),
    ),
    "padded twice": lambda: S(
        nn.ZeroPad2d(1), nn.ZeroPad2d((1, 0, 0, 0)), nn.Conv2d(3, 4, 5, padding=1), nn.ReLU(),
        head(624),
    ),
}  # fmt: skip

FORWARDS = {
    "F.relu, x.flatten": (
        lambda m, x: m.fc(F.relu(m.conv(x)).flatten(1)),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(400, 5)},
    ),
    "x.relu_, torch.flatten": (
        lambda m, x: m.fc(torch.flatten(m.conv(x).relu_(), 1)),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(400, 5)},
    ),
    "torch.relu, view": (
        lambda m, x: m.fc(torch.relu(m.conv(x)).view(x.shape[0], -1)),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(400, 5)},
    ),
    "clamp(min=0), reshape": (
        lambda m, x: m.fc(m.conv(x).clamp(min=0).reshape(-1, 400)),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(400, 5)},
    ),
    "clamp, F.max_pool2d, F.dropout": (
        lambda m, x: m.fc(
            F.dropout(F.max_pool2d(torch.clamp(m.conv(x), 0, 0.4), 2), training=m.training)
            .flatten(1)
        ),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(100, 5)},
    ),
    "relu, pool, clamp": (
        lambda m, x: m.fc(F.max_pool2d(F.relu(m.conv(x)), 2).clamp(max=0.3).flatten(1)),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(100, 5)},
    ),
    "mean over the map": (
        lambda m, x: m.fc(F.relu6(m.conv(x)).mean((2, 3))),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(4, 5)},
    ),
    "mean, keepdim, squeeze": (
        lambda m, x: m.fc(F.relu(m.conv(x)).mean((-1, -2), keepdim=True).squeeze(-1).squeeze(-1)),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(4, 5)},
    ),
    "amax over the map": (
        lambda m, x: m.fc(F.relu(m.conv(x)).amax((2, 3))),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(4, 5)},
    ),
    "normalised inside": (
        lambda m, x: m.fc(
            F.relu(m.conv((x - torch.tensor([0.4, 0.5, 0.6]).view(3, 1, 1)) / 0.25)).flatten(1)
        ),
        {"conv": nn.Conv2d(3, 4, 3, padding=1), "fc": nn.Linear(576, 5)},
    ),
    "2·x − 1, 0.5 + x, 1 − x, −x": (
        lambda m, x: m.fc(-(1 - (0.5 + F.relu(m.conv(2 * x - 1)))).flatten(1)),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(400, 5)},
    ),
    "F.pad": (
        lambda m, x: m.fc(F.relu(m.conv(F.pad(x, (0, 1, 2, 1)))).flatten(1)),
        {"conv": nn.Conv2d(3, 4, 3, stride=2), "fc": nn.Linear(168, 5)},
    ),
    "F.pad with the mean's code": (
        lambda m, x: m.fc(
            F.relu(m.conv(F.pad((x - 0.5) / 0.2, (1, 1, 1, 1), value=1.0))).flatten(1)
        ),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(576, 5)},
    ),
    "a layer called twice": (
        lambda m, x: m.fc(F.relu(m.conv(F.relu(m.conv(x)))).flatten(1)),
        {"conv": nn.Conv2d(3, 3, 3, padding=1), "fc": nn.Linear(432, 5)},
    ),
    "weights by a formula": (
        lambda m, x: m.fc(
            F.relu(F.conv2d(x, torch.tanh(m.conv.weight) * 2, m.conv.bias + 1)).flatten(1)
        ),
        {"conv": nn.Conv2d(3, 4, 3), "fc": nn.Linear(400, 5)},
    ),
    "matmul": (
        lambda m, x: x.flatten(1) @ m.fc.weight.t() + m.fc.bias,
        {"fc": nn.Linear(432, 5)},
    ),
}  # fmt: skip
