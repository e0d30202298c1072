"""Plans of networks: hand-computed sizes, limited or rejected options, and JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from hwgen.errors import PlanError
from hwgen.network import (
    Conv2d,
    Flatten,
    Identity,
    Input,
    InverseLeakyNeuron,
    Layer,
    Linear,
    MaxPool2d,
    Network,
    Projection,
    Readout,
)
from hwgen.plan.assembly import make_plan
from hwgen.plan.units.hardware_plan import HardwarePlan
from hwgen.plan.units.options import PlanOptions
from tests.support.random_networks import KINDS, random_network


def layer(name: str, *projections: Projection, out: int, last: bool = False) -> Layer:
    ones = np.ones(out, dtype=np.int64)
    neuron = Readout() if last else InverseLeakyNeuron(threshold=ones, timesteps=3)
    return Layer(name=name, projections=projections, bias=0 * ones, neuron=neuron)


def ones(*shape: int) -> np.ndarray:
    """Weights 1 except one per kernel, since equal taps would share their weights."""
    weights = np.ones(shape, dtype=np.int32)
    weights[(..., -1, -1) if len(shape) == 4 else (..., -1)] = 2
    return weights


def cnn(pixel_bits: int = 8) -> Network:
    """2×6×6 → conv 20 → pool 3×3 → linear 10 → 4 classes."""
    return Network(
        name="cnn",
        input=Input(shape=(2, 6, 6), timesteps=4, pixel_bits=pixel_bits),
        nodes=(
            layer("conv", Conv2d(source="input", weights=ones(20, 2, 3, 3), padding=(1, 1, 1, 1)),
                  out=20),
            MaxPool2d(name="pool", source="conv", kernel=(2, 2), stride=(2, 2)),
            Flatten(name="flat", source="pool"),
            layer("fc", Linear(source="flat", weights=ones(10, 180)), out=10),
            layer("out", Linear(source="fc", weights=ones(4, 10)), out=4, last=True),
        ),
    )  # fmt: skip


def test_sizes_by_hand() -> None:
    plan = make_plan(
        cnn(), PlanOptions(lanes={"conv": 8, None: 16}, membrane_lanes={"conv": 4}, schedule="time")
    )
    conv, pool, fc, out = plan.stages
    assert [stage.node for stage in plan.stages] == ["conv", "pool", "fc", "out"]
    assert (conv.lanes, conv.rounds, conv.words_per_round, conv.words) == (8, 3, 2, 5)
    assert (conv.positions, conv.membrane_depth) == (36, 36 * 5)
    assert (conv.timesteps_in, conv.timesteps_out, conv.banks) == (4, 3, 2)
    # A word holds two channels; a row of three taps is one chunk of six bits.
    assert (conv.window.word_width, conv.window.window_chunks) == (2, 3)
    assert (conv.window.chunk_width, conv.paths[0].weight_depth) == (6, 3 * 3 * 6)
    assert (pool.candidates, pool.window.rounds, pool.words) == (4, 5, 9 * 5)
    # The map has three rows of 15 words of four bits; eight words make a chunk of 32 bits.
    assert (fc.window.rows, fc.window.words, fc.window.pack, fc.window.chunks) == (3, 15, 8, 2)
    assert (fc.lanes, fc.rounds, fc.paths[0].weight_depth) == (10, 1, 3 * 2 * 32)
    assert (out.lanes, out.kind, out.timesteps_out) == (4, "readout", 1)
    assert [stream.node for stream in plan.streams] == ["input", "conv", "pool", "fc"]
    assert plan.logit_width == 32


@pytest.mark.parametrize(("bias", "width"), [((1 << 31) - 1, 32), (1 << 31, 64)])
def test_a_logit_takes_32_bits_where_it_fits_them(bias: int, width: int) -> None:
    """One pixel with a weight of 0 and a bias: 2^31 − 1 is the largest number of 32 bits."""
    zero = Linear(source="input", weights=np.zeros((1, 1), np.int32))
    out = replace(layer("out", zero, out=1, last=True), bias=np.array([bias]))
    source = Input(shape=(1, 1, 1), timesteps=2, code="rate")
    assert make_plan(Network(name="n", input=source, nodes=(out,))).logit_width == width


def test_a_pass_is_one_row_in_schedule_row() -> None:
    """Six rows of six pixels of five words; pools and memories hold one row."""
    by_row, by_time = (
        make_plan(cnn(), PlanOptions(lanes=4)),
        make_plan(cnn(), PlanOptions(lanes=4, schedule="time")),
    )
    assert by_row.schedule == "row"
    conv, pool, fc, _ = by_row.stages
    assert (conv.passes, conv.positions, conv.membrane_depth) == (6, 6, 6 * conv.words)
    assert (pool.words, by_time.stages[1].words) == (3 * pool.window.rounds, 9 * pool.window.rounds)
    assert {stream.schedule for stream in by_row.streams} == {"row"}
    assert (by_time.layers[0].passes, by_time.layers[0].positions) == (1, 36)
    # With schedule ``row`` the buffer holds four timesteps of each row.
    depths = [plan.layers[0].window.depth for plan in (by_row, by_time)]
    assert depths[0] == 4 * depths[1]
    # The linear layer takes the rows of the map in order and waits for the last one.
    assert (fc.window.kernel, fc.window.out_rows, fc.passes) == ((3, 1), 1, 1)


def test_alternate_has_one_bank_and_overlap_two() -> None:
    for pipeline, banks in (("alternate", 1), ("overlap", 2)):
        assert {
            stage.banks for stage in make_plan(cnn(), PlanOptions(pipeline=pipeline)).layers
        } == {banks}


def test_a_common_number_is_limited_to_the_maximum_of_each_layer() -> None:
    plan = make_plan(cnn(), PlanOptions(lanes=64, scanners=500, membrane_lanes=64))
    assert [stage.lanes for stage in plan.layers] == [20, 10, 4]
    assert [stage.membrane_lanes for stage in plan.layers] == [20, 10, 4]
    # A row of three pixels of two channels, and of 20; ten inputs.
    assert [stage.window.scanners for stage in plan.layers] == [6, 60, 10]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lanes": {"fc": 11}}, "fc: lanes 11 is more than its 10 output channels; give at most"),
        ({"lanes": {"fc": 10, "conv": 21}}, "conv: lanes 21 is more than its 20 output channels"),
        ({"scanners": {"conv": 7}}, "conv: scanners 7 is more than its 6 inputs"),
        ({"membrane_lanes": {"fc": 4}}, "fc: membrane_lanes 4 must divide its 10 lanes.* 1, 2, 5"),
        ({"lanes": {"cnv": 2}}, "lanes: unknown layer 'cnv'; did you mean 'conv'"),
        ({"scanners": {"pool": 2}}, "scanners: unknown layer 'pool'"),
        ({"lanes": 0}, "lanes: must be a positive integer, not 0"),
        ({"lanes": {"fc": -2}}, "lanes: must be a positive integer, not -2"),
        ({"lanes": 2.0}, "lanes: must be a positive integer, not 2.0"),
        ({"membrane_lanes": "4"}, "membrane_lanes: must be a positive integer, not '4'"),
        ({"pipeline": "both"}, "unknown pipeline 'both'; available: alternate, overlap"),
        ({"schedule": "column"}, "unknown schedule 'column'; available: row, time"),
        ({"input_width": 24}, "input_width must be one of 8, 16, 32, 64, 128, 256, 512.*not 24"),
        ({"input_width": 0}, "input_width must be one of.*not 0"),
        ({"input_width": 1024}, "input_width must be one of.*not 1024"),
        ({"input_width": "32"}, "input_width must be one of.*not '32'"),
    ],
)
def test_options_that_do_not_fit_are_rejected(options: dict[str, Any], message: str) -> None:
    with pytest.raises(PlanError, match=message):
        make_plan(cnn(), PlanOptions(**options))


def test_an_order_holds_every_bit_of_a_chunk_once() -> None:
    """A chunk of the first layer has six bits: a row of three taps of two channels."""
    options = {"lanes": 8, "scanners": {"conv": 2}}
    whole = make_plan(cnn(), PlanOptions(**options, orders={"conv": [[5, 0, 1, 2, 3, 4]]}))
    assert whole.layers[0].window.owned_bits == ((5, 0, 1), (2, 3, 4))
    for order in ([0, 1, 2, 3, 4, -1], [0, 1, 2, 3, 4, 4], [0, 1, 2, 3, 4], [0, 1, 2, 3, 4, 6]):
        with pytest.raises(PlanError, match="conv: its order must give each of 2 scanners 3"):
            make_plan(cnn(), PlanOptions(**options, orders={"conv": [order]}))


def test_address_events_use_schedule_time() -> None:
    """12 pixels of 2 channels, T = 4: x and y of two bits, channel, t of two, null: 8 bits."""
    source = Input(shape=(2, 3, 4), timesteps=4, code="events", pixel_bits=1)
    conv = Conv2d(source="input", weights=np.ones((3, 2, 3, 4), np.int32))
    zero = np.zeros(3, np.int64)
    last = Layer(name="out", projections=(conv,), bias=zero, neuron=Readout())
    network = Network(name="n", input=source, nodes=(last,))
    with pytest.raises(PlanError, match="input: address events arrive.* must be 'time', not 'row'"):
        make_plan(network, PlanOptions(schedule="row"))
    plan = make_plan(network)
    assert plan.schedule == "time"
    assert plan.encoder.input_width == 32
    assert plan.encoder.event_fields == {
        "x": (0, 2), "y": (2, 2), "channel": (4, 1), "t": (5, 2), "null": (7, 1),
    }  # fmt: skip
    assert make_plan(network, PlanOptions(input_width=8)).encoder.input_width == 8
    wide = replace(network, input=replace(source, timesteps=5))
    with pytest.raises(PlanError, match="hold an address event of 9 bits, not 8"):
        make_plan(wide, PlanOptions(input_width=8))


def test_a_beat_must_hold_a_pixel() -> None:
    with pytest.raises(PlanError, match="hold a pixel of 2 bytes, not 8"):
        make_plan(cnn(pixel_bits=9), PlanOptions(input_width=8))
    encoder = make_plan(cnn(pixel_bits=9), PlanOptions(input_width=16)).encoder
    assert (encoder.pixel_bytes, encoder.beat_pixels, encoder.beats) == (2, 1, 72)


@pytest.mark.parametrize("width", [8, 16, 32, 64, 128, 256, 512])
def test_every_input_width_gives_a_plan(width: int) -> None:
    encoder = make_plan(cnn(), PlanOptions(input_width=width)).encoder
    assert encoder.beats == -(-72 // (width // 8))
    assert encoder.output.width == 2  # the channels of one pixel, for any beat width


def test_membrane_unit_keeps_up_with_short_windows() -> None:
    """A linear layer with few inputs has windows of one chunk, so all lanes fire at once."""
    plan = make_plan(cnn(), PlanOptions(lanes={"out": 4}))
    assert plan.layers[-1].words_per_round == 1
    assert plan.layers[1].words_per_round > 1  # the spikes of 180 inputs take long enough
    assert all(stage.lanes % stage.membrane_lanes == 0 for stage in plan.layers)


def residual(short: Projection, channels: int = 4, flat: bool = False) -> Network:
    """conv a → conv b → c, with the shortcut ``short`` from a to c."""
    three = {"padding": (1, 1, 1, 1)}
    nodes = (
        layer("a", Conv2d(source="input", weights=ones(channels, 2, 3, 3), **three), out=channels),
        layer("b", Conv2d(source="a", weights=ones(4, channels, 3, 3), **three), out=4),
        layer("c", Conv2d(source="b", weights=ones(4, 4, 3, 3), **three), short, out=4),
        Flatten(name="f", source="c"),
        layer("out", Linear(source="f", weights=ones(1, 144)), out=1, last=True),
    )
    return Network(name="n", input=Input(shape=(2, 6, 6), timesteps=3), nodes=nodes)


def test_a_layer_has_a_synaptic_path_for_each_projection() -> None:
    plan = make_plan(residual(Identity(source="a", weights=ones(4))), PlanOptions(membrane_lanes=4))
    join = plan.layers[2]
    assert join.sources == ("b", "a")
    assert [path.kind for path in join.paths] == ["spikes", "masked"]
    assert plan.consumers("a") == 2
    assert {plan.consumers(node) for node in ("input", "b", "c")} == {1}
    # A masked chunk is one word; its row holds one weight for each of the four lanes.
    assert (join.paths[1].window.window_chunks, join.paths[1].weight_depth) == (1, 1)


def test_scanners_are_assigned_by_work() -> None:
    """A 1×1 convolution of eight channels has 8 inputs beside 36: it gets one scanner."""
    short = Conv2d(source="a", weights=ones(4, 8, 1, 1))
    plan = make_plan(residual(short, channels=8), PlanOptions(scanners=4, membrane_lanes=8))
    join = plan.layers[2]
    assert [path.window.scanners for path in join.paths] == [4, 1]
    assert join.scanners == 5


def test_only_a_linear_projection_reads_a_flattened_map() -> None:
    nodes = (
        Flatten(name="f", source="input"),
        layer("a", Conv2d(source="f", weights=ones(3, 8, 1, 1)), out=3),
        layer("out", Linear(source="a", weights=ones(1, 3)), out=1, last=True),
    )
    network = Network(name="n", input=Input(shape=(2, 2, 2), timesteps=3), nodes=nodes)
    with pytest.raises(PlanError, match="a: a Conv2d reads 'f', a flattened map; make it a Linear"):
        make_plan(network)


def test_a_pool_after_a_flatten_is_rejected() -> None:
    nodes = (
        Flatten(name="f", source="input"),
        MaxPool2d(name="p", source="f", kernel=(1, 1), stride=(1, 1)),
        layer("out", Linear(source="p", weights=ones(1, 8)), out=1, last=True),
    )
    network = Network(name="n", input=Input(shape=(2, 2, 2), timesteps=3), nodes=nodes)
    with pytest.raises(PlanError, match="p: a max-pool cannot read the flattened map 'f'"):
        make_plan(network)


@pytest.mark.parametrize("seed", range(12))
def test_plan_survives_json(seed: int) -> None:
    network = random_network(seed, neuron=KINDS[seed % len(KINDS)], residual=seed % 2 == 0)
    plan = make_plan(
        network, PlanOptions(lanes=3, scanners=2, schedule=("row", "time")[seed // 2 % 2])
    )
    assert HardwarePlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan


@pytest.mark.parametrize(
    ("change", "reported"),
    [
        (lambda plan: plan.pop("schedule"), "schedule: Field required"),
        (lambda plan: plan.update(pipeline="both"), "pipeline: Input should be"),
        (lambda plan: plan["stages"][0].update(lanes="many"), r"stages.0.LayerPlan.lanes"),
    ],
)
def test_a_malformed_plan_is_rejected(change: Any, reported: str) -> None:
    values = make_plan(cnn()).to_json()
    change(values)
    with pytest.raises(
        PlanError, match=f"hardware plan: {reported}.*generate the build folder again"
    ):
        HardwarePlan.from_json(values)


def test_enums_are_words_in_json() -> None:
    values = json.loads(json.dumps(make_plan(cnn(), PlanOptions(weight_memory="lut")).to_json()))
    conv, pool = values["stages"][:2]
    assert (values["schedule"], values["pipeline"]) == ("row", "overlap")
    assert (conv["kind"], conv["code_in"], conv["leak_in"]) == (
        "two_phase",
        "radix",
        {"n": 1, "m": 0},
    )
    assert (conv["paths"][0]["kind"], conv["paths"][0]["memory"]) == ("spikes", "lut")
    assert values["encoder"]["output"]["layout"] == pool["output"]["layout"] == "pixel"
