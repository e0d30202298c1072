"""Operators that keep all values: views, casts, dropout in eval mode."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hwgen.conversion.frontend.ends import COPIES, VIEWS
from hwgen.conversion.frontend.operators.call import Call, Ref, Refusal, handles
from hwgen.conversion.op_graph import Op, ReshapeOp


@handles("dropout", "feature_dropout", "alpha_dropout", "feature_alpha_dropout", "native_dropout")
def _dropout(call: Call) -> Ref:
    if call["train"]:
        raise Refusal("dropout is active; export the model in eval mode (model.eval())")
    return call.source()


@handles(*COPIES)
def _same(call: Call) -> Ref:
    if not call.floating:
        raise Refusal("activations must stay floating point in the model; remove the cast")
    return call.source()


@handles(*VIEWS)
def _reshape(call: Call) -> Ref | Sequence[Op]:
    ref = call.source()
    if np.prod(call.shape) != np.prod(ref.shape) or -1 in call.shape:
        raise Refusal(
            f"a view must keep the samples apart: {ref.shape} became {call.shape} per sample"
        )
    if call.shape == ref.shape:
        return ref
    return [ReshapeOp(**call.common(ref))]
