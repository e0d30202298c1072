"""Operators that are activations: ReLU and other clamps, and those that only the end may have."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import torch

from hwgen.caution import note
from hwgen.conversion.frontend.ends import RISING, SOFTMAX
from hwgen.conversion.frontend.operators.call import Call, Ref, Refusal, handles
from hwgen.conversion.frontend.remedies import remedy
from hwgen.conversion.op_graph import ClampOp, Op


def _clamp(call: Call, low: Any, high: Any) -> Ref | Sequence[Op]:
    if call.last:
        return _dropped(call, "where it makes logits equal, those before it still differ")
    bounds = [-np.inf if low is None else low, np.inf if high is None else high]
    if any(isinstance(bound, Ref) for bound in bounds):
        raise Refusal("bounds of a clamp must be constants")
    arrays = [np.unique(torch.as_tensor(bound).double().numpy()) for bound in bounds]
    if any(array.size != 1 for array in arrays):
        raise Refusal("bounds of a clamp must be one number for all channels")
    low, high = (float(array[0]) for array in arrays)
    if np.isnan(low) or np.isnan(high) or low > high:
        raise Refusal(f"clamp({low}, {high}) has no range")
    return [ClampOp(**call.common(call.source()), low=low, high=high)]


handles("relu")(partial(_clamp, low=0, high=None))
handles("relu6")(partial(_clamp, low=0, high=6))


@handles("hardtanh")
def _hardtanh(call: Call) -> Ref | Sequence[Op]:
    return _clamp(call, call["min_val"], call["max_val"])


@handles("clamp", "clip", "clamp_min", "clamp_max")
def _clamp_call(call: Call) -> Ref | Sequence[Op]:
    return _clamp(call, call.arguments.get("min"), call.arguments.get("max"))


@handles("threshold")
def _threshold(call: Call) -> Ref | Sequence[Op]:
    if call["threshold"] != 0 or call["value"] != 0:
        raise Refusal("only threshold(x, 0, 0), a ReLU, is supported")
    return _clamp(call, 0, None)


# --- at the end only ----------------------------------------------------------------------------


@handles(*RISING)
def _rising(call: Call) -> Ref:
    if not call.last:
        raise Refusal(remedy("sigmoid"))
    return _dropped(call, "it keeps the order of the logits")


@handles(*SOFTMAX)
def _softmax(call: Call) -> Ref:
    if not call.last or len(call.shape) != 1 or call["dim"] not in (1, -1):
        raise Refusal("only a softmax over the classes at the very end may stay; leave it out")
    if call.shape == (1,):
        raise Refusal("a softmax over a single class is always 1; use a sigmoid or two classes")
    return _dropped(call, "it keeps the order of the logits")


def _dropped(call: Call, why: str) -> Ref:
    note(f"{call.where}: dropped at the end of the model: {why}; logits are the values before it")
    return call.source()
