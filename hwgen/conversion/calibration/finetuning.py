"""Fine-tuning after conversion, for trains of few timesteps (T ≤ 4, where rounding costs most).

The fused float network gets the activation of its spiking neurons,

::

    y = λ·min(⌊max(u, 0) / λ + η⌋, q_max),

and is trained for a few epochs towards its own logits without it (distillation, which needs no
labels). Gradients ignore the rounding (straight-through), and λ is trained, too
(:class:`hwgen.conversion.float_graph.Steps`). Inputs are the values of their codes. This activation
is the closed form of a two-phase neuron, so conversion keeps the λ found here; only the rounding of
the weights costs accuracy.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F

from hwgen.arguments import require_integer, require_number
from hwgen.conversion.calibration import float_run as calibrate
from hwgen.conversion.calibration.input_decoding import counts_of, decode_input, encode, make_input
from hwgen.conversion.calibration.scales import choose_scales
from hwgen.conversion.converted import Progress
from hwgen.conversion.float_graph import FloatGraph, FloatNode, Population, Steps
from hwgen.conversion.op_graph import INPUT
from hwgen.conversion.options import Options
from hwgen.conversion.quantisation.weight_fitting import is_copy
from hwgen.errors import ConversionError
from hwgen.network import Pair, equal_taps, stored_weights

CHOOSING = 512  # images on which the first λ are chosen
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
    student = _Student(_with_steps(graph, ready(images[:CHOOSING]), options))
    optimiser = torch.optim.Adam(student.groups(tuning.learning_rate))
    batches = -(-len(images) // tuning.batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, tuning.epochs * batches)
    generator = torch.Generator().manual_seed(tuning.seed)
    # In units of their own spread, so that small logits count as much as large ones.
    size = SOFTNESS * wanted.std().clamp(min=1e-6)
    targets = F.softmax(wanted / size, dim=1)
    for epoch in range(tuning.epochs):
        progress(epoch, tuning.epochs, "fine-tuning")
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, len(images), tuning.batch):
            batch = order[start : start + tuning.batch]
            logits = student.logits(ready(images[batch.numpy()]))
            optimiser.zero_grad(set_to_none=True)
            loss = F.cross_entropy(logits / size, targets[batch])
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()
    progress(tuning.epochs, tuning.epochs, "fine-tuning")
    return student.graph()


def _with_steps(graph: FloatGraph, values: torch.Tensor, options: Options) -> FloatGraph:
    """Choose λ by the method's rule, for each layer on the values of the layers before it.

    A linear population keeps its float activation; its zero point is chosen later.
    """
    known, nodes = {INPUT: values}, list[FloatNode]()
    for node in graph.nodes:
        if isinstance(node, Population) and node.fires and node.low == 0:
            sums = calibrate.preactivation(node, known)
            q_max = options.code.q_max(options.steps(node.name))
            scale = choose_scales(sums, q_max=q_max, high=node.high, options=options)
            node = replace(node, steps=Steps(scale=scale, levels=q_max, eta=options.eta))
        known[node.name] = calibrate.step(node, known)
        nodes.append(node)
    return replace(graph, nodes=tuple(nodes))


class _Student:
    """The network as trainable tensors: equal taps are one weight; copies and averages stay."""

    def __init__(self, graph: FloatGraph) -> None:
        self._graph = graph
        self._weights: dict[tuple[str, int], torch.Tensor] = {}
        self._tiles: dict[tuple[str, int], Pair] = {}
        self._biases: dict[str, torch.Tensor] = {}
        self._scales: dict[str, torch.Tensor] = {}
        for node in self._populations():
            for index, projection in enumerate(node.projections):
                stored = stored_weights(projection.weights)
                weights = _learns(stored).requires_grad_(not is_copy(stored))
                self._weights[node.name, index] = weights
                self._tiles[node.name, index] = equal_taps(projection.weights)
            self._biases[node.name] = _learns(node.bias)
            if node.steps is not None:
                shared = bool((node.steps.scale == node.steps.scale[0]).all())
                scale = node.steps.scale[:1] if shared else node.steps.scale
                self._scales[node.name] = _learns(scale)

    def _populations(self) -> Iterator[Population]:
        return (node for node in self._graph.nodes if isinstance(node, Population))

    def groups(self, rate: float) -> list[dict[str, Any]]:
        """Parameter groups: each tensor with a rate in proportion to its size, a bias to λ."""
        weights = [tensor for tensor in self._weights.values() if tensor.requires_grad]
        sizes = [(tensor, _size(tensor)) for tensor in weights]
        sizes += [(tensor, 0.1 * _size(tensor)) for tensor in self._scales.values()]
        for name, bias in self._biases.items():
            sizes.append((bias, _size(self._scales.get(name, bias))))
        return [{"params": [tensor], "lr": rate * size} for tensor, size in sizes]

    def logits(self, values: torch.Tensor) -> torch.Tensor:
        known = {INPUT: values}
        for node in self._graph.nodes:
            if not isinstance(node, Population):
                known[node.name] = calibrate.step(node, known)
                continue
            sums = self._biases[node.name].reshape(-1, 1, 1)
            for index, projection in enumerate(node.projections):
                weights = self._taps(node.name, index)
                sums = sums + calibrate.linear_map(projection, weights, known[projection.source])
            if node.steps is None:
                known[node.name] = calibrate.activate(node, sums)
            else:
                known[node.name] = node.steps.activate(sums, self._scales[node.name].abs())
        return known[self._graph.nodes[-1].name].flatten(1)

    def _taps(self, name: str, index: int) -> torch.Tensor:
        """Weights of a projection, of all its taps."""
        weights, (ty, tx) = self._weights[name, index], self._tiles[name, index]
        if ty * tx == 1:
            return weights
        return weights.repeat_interleave(ty, dim=2).repeat_interleave(tx, dim=3)

    def graph(self) -> FloatGraph:
        nodes: list[FloatNode] = []
        for node in self._graph.nodes:
            if isinstance(node, Population):
                projections = tuple(
                    replace(projection, weights=_array(self._taps(node.name, index)))
                    for index, projection in enumerate(node.projections)
                )
                node = replace(node, projections=projections, bias=_array(self._biases[node.name]))
                if node.steps is not None:
                    scale = np.broadcast_to(_array(self._scales[node.name].abs()), node.bias.shape)
                    node = replace(node, steps=replace(node.steps, scale=scale.copy()))
            nodes.append(node)
        return replace(self._graph, nodes=tuple(nodes))


def _learns(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.array(array, np.float32)).requires_grad_()


def _size(tensor: torch.Tensor) -> float:
    return float(tensor.detach().square().mean().sqrt().clamp(min=1e-12))


def _array(tensor: torch.Tensor) -> np.ndarray:
    return tensor.detach().double().numpy()
