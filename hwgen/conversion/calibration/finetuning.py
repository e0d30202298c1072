"""Fine-tuning after conversion, for trains of few timesteps (T ≤ 4, where rounding costs most).

The fused float network gets the activation of its spiking neurons,

::

    y = λ·min(⌊max(u, 0) / λ + η⌋, q_max),

and is trained for a few epochs towards its own logits without it (distillation, which needs no
labels). Gradients ignore the rounding (straight-through), and λ is trained, too
(:class:`hwgen.conversion.float_graph.Steps`). Inputs are the values of their codes. This activation
is the closed form of a two-phase neuron, so conversion keeps the λ found here; only the rounding of
the weights costs accuracy.

Values are trained in units of about λ, so that the optimiser sees the same numbers whatever the
scale of a layer. Gradients are summed over parts of a batch, in their order: the number of threads
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.arguments import require_integer, require_number
from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import counts_of, decode_input, encode, make_input
from hwgen.conversion.calibration.scales import choose_scales
from hwgen.conversion.calibration.student import Student
from hwgen.conversion.calibration.units import Units, in_units, inverse, power_of_two
from hwgen.conversion.converted import Progress
from hwgen.conversion.float_graph import FloatGraph, FloatNode, Population, Steps
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.conversion.threads import map_batches
from hwgen.errors import ConversionError

CHOOSING = 512  # images on which the first λ are chosen
_PART = 16  # images of a batch on one thread
SOFTNESS = 0.2  # temperature of the target logits, in their standard deviations


@dataclass(frozen=True, kw_only=True)
class Finetuning:
    """Parameters of fine-tuning.

    ``epochs`` are passes over the images, in the order of ``seed``, with ``batch`` images per step.
    ``learning_rate`` is Adam's, as a share of each tensor's root mean square; it decays to 0.
    """

    epochs: int = 3
    learning_rate: float = 0.01
    batch: int = 64
    seed: int = 0

    def __post_init__(self) -> None:
        for name, value in (("epochs", self.epochs), ("batch", self.batch)):
            require_integer(f"fine-tuning: {name}", value, 1, error=ConversionError)
        rule, what = "above 0, up to 1", "fine-tuning: learning_rate"
        rate = self.learning_rate
        require_number(what, rate, rule, lambda x: 0 < x <= 1, error=ConversionError)


def finetune(
    graph: FloatGraph,
    images: np.ndarray,
    options: Options,
    tuning: Finetuning,
    progress: Progress = lambda *_: None,
) -> FloatGraph:
    """Train the weights and biases of ``graph``, and a scale λ for every population that fires.

    The more training ``images`` (samples, channels, height, width), the better. Raises
    :class:`.ConversionError` for a single-phase neuron: its spike count is not a function of the
    sum of its inputs.
    """
    if options.neuron.single_phase:
        raise ConversionError(
            f"fine-tuning trains the closed form of two-phase neurons, not {options.neuron!r}; use "
            f"neuron ilif, if2 or ttfs"
        )
    if not options.inverse_leak.doubles:
        raise ConversionError(
            "fine-tuning needs equidistant levels, so leak must be 2; leave it out"
        )
    source = make_input(graph, options)
    pixels = counts_of(images)
    decoding = decode_input(pixels, source, graph)

    def ready(part: np.ndarray) -> torch.Tensor:
        return decoding.of(calibrate.as_tensor(encode(part, source)))

    wanted = torch.from_numpy(calibrate.run_float(graph, pixels))
    # In units of their own spread, so that small logits count as much as large ones.
    size = SOFTNESS * (float(wanted.double().std()) or 1.0)
    targets = F.softmax(_of_classes(wanted / size), dim=1)
    graph, units = _with_steps(graph, ready(images[:CHOOSING]), options)
    logit = units[graph.nodes[-1].name].item(0) / size
    student = Student(in_units(graph, units))
    optimiser = torch.optim.Adam(student.groups(tuning.learning_rate))
    batches = -(-len(images) // tuning.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, tuning.epochs * batches)
    generator = torch.Generator().manual_seed(tuning.seed)
    tensors = student.tensors()

    def gradients(part: torch.Tensor, batch: int) -> Sequence[torch.Tensor]:
        logits = student.logits(ready(images[part.numpy()]))
        loss = F.cross_entropy(_of_classes(logits * logit), targets[part]) * (len(part) / batch)
        return torch.autograd.grad(loss, tensors)

    for epoch in range(tuning.epochs):
        progress(epoch, tuning.epochs, "fine-tuning")
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, len(images), tuning.batch):
            batch = order[start : start + tuning.batch]
            parts = map_batches(
                partial(gradients, batch=len(batch)),
                [batch[first : first + _PART] for first in range(0, len(batch), _PART)],
            )
            for tensor, *found in zip(tensors, *parts):
                tensor.grad = torch.stack(found).sum(dim=0)
            optimiser.step()
            schedule.step()
    progress(tuning.epochs, tuning.epochs, "fine-tuning")
    return in_units(student.graph(), inverse(units))


def _of_classes(logits: torch.Tensor) -> torch.Tensor:
    """Logits of all classes: a single one is that of class 1, and class 0 has 0."""
    return F.pad(logits, (1, 0)) if logits.shape[1] == 1 else logits


def _with_steps(
    graph: FloatGraph, values: torch.Tensor, options: Options
) -> tuple[FloatGraph, Units]:
    """Choose λ by the method's rule, for each layer on the values of the layers before it.

    A linear population keeps its float activation; its zero point is chosen later. The units of
    values are powers of two: about λ, or the largest value where there is none.
    """
    known, nodes = {INPUT: values}, list[FloatNode]()
    units: dict[str, np.ndarray] = {INPUT: np.ones(values.shape[1])}
    for node in graph.nodes:
        if isinstance(node, Population) and node.fires and node.low == 0:
            sums = calibrate.preactivation(node, known)
            q_max = options.code.q_max(options.steps(node.name))
            scale = choose_scales(sums, q_max=q_max, high=node.high, options=options)
            node = replace(node, steps=Steps(scale=scale, levels=q_max, eta=options.eta))
        known[node.name] = calibrate.step(node, known)
        nodes.append(node)
        channels = known[node.name].shape[1]
        if not isinstance(node, Population):
            given = units[node.source]
            units[node.name] = np.repeat(given, channels // len(given))
        elif node.steps is not None:
            units[node.name] = power_of_two(node.steps.scale)
        else:
            each = options.channel_scales and node.fires
            sizes = known[node.name].abs().amax(dim=(0, 2, 3)).double().numpy()
            units[node.name] = power_of_two(sizes if each else np.full(channels, sizes.max()))
    return replace(graph, nodes=tuple(nodes)), units
