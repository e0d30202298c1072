"""Models that cannot be traced: refused in one line, instead of by another library."""

from __future__ import annotations

import io
import logging
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from torch import nn
from torch.nn.parameter import is_lazy

from hwgen.conversion.frontend.plain import plain
from hwgen.errors import ConversionError

_SPIKING = ("snntorch", "spikingjelly", "norse", "sinabs")


def require_suitable(model: nn.Module) -> None:
    """Raise :class:`.ConversionError` for a script, a spiking network, or lazy parameters."""
    if isinstance(model, torch.jit.ScriptModule):
        raise ConversionError(
            "the model is a script of torch.jit, which torch.export cannot trace; pass the "
            "nn.Module that it was made of"
        )
    for name, module in model.named_modules():
        package = type(module).__module__.split(".")[0]
        if package in _SPIKING:
            raise ConversionError(
                f"{name or 'model'} ({type(module).__name__}): a spiking neuron of {package} has "
                f"timesteps of its own; convert the CNN that it replaces: put a ReLU in its place, "
                f"run the layers once instead of in a loop, and train that"
            )
    tensors = [*model.named_parameters(), *model.named_buffers()]
    if lazy := [name for name, tensor in tensors if is_lazy(tensor)]:
        raise ConversionError(
            f"{', '.join(lazy)}: the parameters were never initialised; load trained weights, or "
            f"run the model on images and train it"
        )


@contextmanager
def quiet_tracing() -> Iterator[None]:
    """Drop what torch.export says of itself; what a model prints goes to standard error."""
    level, output = logging.root.manager.disable, sys.stderr
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stderr(io.StringIO()), redirect_stdout(output):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def untraceable(error: BaseException) -> ConversionError:
    """The error for a forward that torch.export gave up on, with the model's line."""
    others = (Path(torch.__file__).parent, Path(__file__).parents[2])  # torch and hwgen
    lines = [
        plain(f', {Path(frame.filename).name}:{frame.lineno}, "{frame.line}"')
        for frame in traceback.extract_tb(error.__traceback__)
        if not any(folder in Path(frame.filename).parents for folder in others)
    ]
    return ConversionError(
        f"torch.export cannot trace the model{lines[-1] if lines else ''}: its forward must not "
        f"depend on the values that it computes; remove checks and branches on them"
    )
