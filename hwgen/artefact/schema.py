"""The document in ``network.yaml``.

Arrays are kept apart in a list; the document holds their indices, so that names of nodes, which
may hold dots, slashes or anything else, never become names of files or keys.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from hwgen.network import Input

FORMAT = "hwgen-network"
VERSION = 2
"""The newest. A network is written in the oldest version that has all that it needs: 2 brought
leaks below 2 and the fractional bits of a read-out."""

Index = Annotated[int, Field(ge=0)]
Pair = Annotated[list[int], Field(min_length=2, max_length=2)]
Triple = Annotated[list[int], Field(min_length=3, max_length=3)]
Quad = Annotated[list[int], Field(min_length=4, max_length=4)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class ArrayModel(_Model):
    dtype: Literal["int8", "int16", "int32", "int64", "uint8", "uint16"]
    shape: list[Annotated[int, Field(ge=1)]]
    sha256: Sha256


class InputModel(_Model):
    name: str
    shape: Triple
    timesteps: int
    code: str
    pixel_bits: int
    gain: int = Input.gain
    seed: int = Input.seed


class Conv2dModel(_Model):
    kind: Literal["conv2d"]
    source: str
    weights: Index
    stride: Pair
    padding: Quad
    groups: int
    pad_value: Index | None


class LinearModel(_Model):
    kind: Literal["linear"]
    source: str
    weights: Index


class IdentityModel(_Model):
    kind: Literal["identity"]
    source: str
    weights: Index


class InverseLeakyModel(_Model):
    kind: Literal["inverse_leaky"]
    threshold: Index
    timesteps: int
    threshold_frac_bits: int
    leak: Pair | None = None


class SoftResetModel(_Model):
    kind: Literal["soft_reset"]
    threshold: Index
    timesteps: int
    two_phase: bool
    initial: Index | None
    floor: Index | None = None
    threshold_frac_bits: int


class HardResetModel(_Model):
    kind: Literal["hard_reset"]
    threshold: Index
    timesteps: int
    reset: Index | None
    initial: Index | None
    floor: Index | None


class TimeToFirstSpikeModel(_Model):
    kind: Literal["time_to_first_spike"]
    threshold: Index
    timesteps: int
    threshold_frac_bits: int


class ReadoutModel(_Model):
    kind: Literal["read_out"]
    frac_bits: int = 0


class SoftmaxReadoutModel(_Model):
    kind: Literal["softmax_read_out"]
    timesteps: int
    shift: int
    table: Index
    random_bits: int
    seed: int


ProjectionModel = Annotated[Conv2dModel | LinearModel | IdentityModel, Field(discriminator="kind")]
NeuronModel = Annotated[
    InverseLeakyModel
    | SoftResetModel
    | HardResetModel
    | TimeToFirstSpikeModel
    | ReadoutModel
    | SoftmaxReadoutModel,
    Field(discriminator="kind"),
]


class LayerModel(_Model):
    kind: Literal["layer"]
    name: str
    projections: list[ProjectionModel]
    bias: Index
    neuron: NeuronModel


class MaxPool2dModel(_Model):
    kind: Literal["max_pool2d"]
    name: str
    source: str
    kernel: Pair
    stride: Pair
    padding: Quad


class FlattenModel(_Model):
    kind: Literal["flatten"]
    name: str
    source: str


NodeModel = Annotated[LayerModel | MaxPool2dModel | FlattenModel, Field(discriminator="kind")]


class Document(_Model):
    format: Literal["hwgen-network"]
    version: Literal[1, 2]
    sha256: Sha256
    name: str
    input: InputModel
    nodes: list[NodeModel]
    probe: Index | None
    provenance: dict[str, Any]
    arrays: list[ArrayModel]
