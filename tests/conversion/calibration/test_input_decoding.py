"""Values of the input codes, and the affine map from codes to pixels."""

from __future__ import annotations

import numpy as np
import pytest

from hwgen.conversion.calibration.input_decoding import decode_input, encode
from hwgen.conversion.float_graph import FloatConv2d, FloatGraph, Population
from hwgen.network import Input


def graph_of(*, padding: int = 0, pad_value: float | None = None, size: int = 6) -> FloatGraph:
    conv = FloatConv2d(
        source="input",
        weights=np.ones((1, 1, 3, 3)),
        padding=(padding,) * 4,
        pad_value=None if pad_value is None else np.array([pad_value]),
    )
    layer = Population(name="conv", projections=(conv,), bias=np.zeros(1))
    return FloatGraph(input_shape=(1, size, size), nodes=(layer,))


def source(code: str, timesteps: int, pixel_bits: int = 8, channels: int = 1) -> Input:
    return Input(shape=(channels, 6, 6), timesteps=timesteps, code=code, pixel_bits=pixel_bits)


def step_by_step(x: int, node: Input) -> int:
    """Value q of a pixel by the docstring of Input, timestep by timestep."""
    if node.code == "radix":
        bits = [(x >> (node.pixel_bits - t)) & 1 if t <= node.pixel_bits else 0
                for t in range(1, node.timesteps + 1)]  # fmt: skip
        return sum(bit << (node.timesteps - t) for t, bit in enumerate(bits, 1))
    total, spikes = 1 << (node.pixel_bits - 1), 0
    for _ in range(node.timesteps):
        total += x
        if total >= 1 << node.pixel_bits:
            total -= 1 << node.pixel_bits
            spikes += 1
    return spikes


@pytest.mark.parametrize("code", ["radix", "rate"])
@pytest.mark.parametrize("timesteps", [1, 3, 8, 11])
@pytest.mark.parametrize("pixel_bits", [4, 8])
def test_codes(code, timesteps, pixel_bits):
    node = source(code, timesteps, pixel_bits)
    values = np.arange(1 << pixel_bits)
    codes = encode(values.reshape(-1, 1, 1, 1), node)
    assert codes.ravel().tolist() == [step_by_step(int(x), node) for x in values]


@pytest.mark.parametrize(("timesteps", "scale"), [(8, 1.0), (10, 0.25)])
def test_enough_timesteps_drop_nothing(timesteps, scale):
    images = np.random.default_rng(0).integers(0, 256, (3, 1, 6, 6), dtype=np.uint8)
    found = decode_input(images, source("radix", timesteps), graph_of(padding=1, pad_value=33.3))
    assert found.scale.tolist() == [scale]
    assert found.offset.tolist() == [0.0]


@pytest.mark.parametrize("code", ["radix", "rate"])
@pytest.mark.parametrize("timesteps", [1, 2, 4])
def test_few_timesteps_are_decoded_without_bias(code, timesteps):
    rng = np.random.default_rng(0)
    images = np.stack(
        [rng.integers(0, 256, (50, 6, 6)), rng.integers(0, 40, (50, 6, 6))], axis=1
    ).astype(np.uint8)
    node = source(code, timesteps, channels=2)
    found = decode_input(images, node, graph_of())
    for c in range(2):
        q = encode(images[:, [c]], node)
        if q.min() == q.max():
            assert found.scale[c] * q.min() + found.offset[c] == pytest.approx(images[:, c].mean())
            continue
        slope, offset = np.polyfit(q.ravel(), images[:, c].ravel(), 1)  # independent least squares
        assert found.scale[c] == pytest.approx(slope)
        assert found.offset[c] == pytest.approx(offset, abs=1e-6)


def test_constant_images():
    images = np.full((4, 1, 6, 6), 100, np.uint8)
    found = decode_input(images, source("radix", 4), graph_of())
    assert found.scale[0] > 0
    assert found.scale[0] * 6 + found.offset[0] == pytest.approx(100)


def test_padding_is_decoded_without_distorting_the_pixels():
    """At T = 2 the mean of 33 lies between the codes of 0 and of 64 … 127."""
    rng = np.random.default_rng(0)
    images = np.where(rng.random((100, 1, 6, 6)) < 0.8, 0, 255).astype(np.uint8)
    node, pad = source("radix", 2), np.array([33.0])
    without = decode_input(images, node, graph_of())
    found = decode_input(images, node, graph_of(padding=1, pad_value=33.0))
    assert abs(without.offset[0]) < 1e-6  # pixels alone: 0 is 0

    def errors(decoding):
        q = np.array([0, 3])
        pixels = decoding.scale[0] * q + decoding.offset[0] - np.array([0, 255])
        code = decoding.code(pad, 3)
        return pixels, float(decoding.scale[0] * code[0] + decoding.offset[0] - 33)

    assert errors(without)[1] == pytest.approx(-33)
    assert abs(errors(found)[1]) < 33
    assert np.abs(errors(found)[0]).max() < 20  # not at the expense of all pixels
    # A 3 × 3 kernel over 6 × 6 pixels: 256 of 324 taps lie inside.
    share = 68 / 256
    best = np.inf
    for code in range(4):
        x, q = np.array([0, 255, 33]), np.array([0, 3, code])
        zeros = (images == 0).mean()
        weights = np.array([zeros, 1 - zeros, share])
        fit = np.polyfit(q, x, 1, w=np.sqrt(weights))
        best = min(best, float((weights * (np.polyval(fit, q) - x) ** 2).sum()))
    pixel_errors, pad_error = errors(found)
    total = zeros * pixel_errors[0] ** 2 + (1 - zeros) * pixel_errors[1] ** 2
    assert total + share * pad_error**2 == pytest.approx(best, rel=1e-6)


@pytest.mark.parametrize("pad", [0.0, 60.0, 90.0, 130.0, 255.0])
@pytest.mark.parametrize("timesteps", [1, 2, 3])
def test_the_best_code_for_the_padding_is_found(pad, timesteps):
    rng = np.random.default_rng(1)
    images = np.minimum(rng.exponential(40, (60, 1, 6, 6)), 255).astype(np.uint8)
    node = source("radix", timesteps)
    found = decode_input(images, node, graph_of(padding=1, pad_value=pad))
    q, x = encode(images, node).ravel(), images.ravel().astype(float)
    share = 68 / 256

    def cost(slope, offset, code):
        return ((slope * q + offset - x) ** 2).mean() + share * (slope * code + offset - pad) ** 2

    best = np.inf
    for code in range(1 << timesteps):
        weights = np.append(np.ones(len(x)), share * len(x))
        slope, offset = np.polyfit(np.append(q, code), np.append(x, pad), 1, w=np.sqrt(weights))
        best = min(best, cost(slope, offset, code))
    code = found.code(np.array([pad]), (1 << timesteps) - 1)[0]
    assert cost(found.scale[0], found.offset[0], code) == pytest.approx(best, rel=1e-6)


def test_the_code_of_a_value_stays_in_range():
    found = decode_input(np.zeros((1, 1, 6, 6), np.uint8), source("radix", 8), graph_of())
    assert found.code(np.array([-3.0]), 255).tolist() == [0]
    assert found.code(np.array([33.4]), 255).tolist() == [33]
    assert found.code(np.array([999.0]), 255).tolist() == [255]


def poisson_draws(node: Input) -> np.ndarray:
    """Draws of one timestep from a bit-serial shift register, in the order y, x, channel."""
    channels, height, columns = node.shape
    bits = [node.seed >> n & 1 for n in range(32)]
    width = node.pixel_bits + 4
    while len(bits) < channels * height * columns * width:
        bits.append(bits[-10] ^ bits[-30] ^ bits[-31] ^ bits[-32])
    found = np.zeros(node.shape, int)
    positions = [(c, y, x) for y in range(height) for x in range(columns) for c in range(channels)]
    for n, position in enumerate(positions):
        found[position] = sum(bit << i for i, bit in enumerate(bits[n * width : (n + 1) * width]))
    return found


def test_codes_of_a_poisson_input():
    images = np.random.default_rng(0).integers(0, 256, (3, 2, 4, 5), dtype=np.uint8)
    node = Input(shape=(2, 4, 5), timesteps=1, code="poisson", gain=11, seed=1234567)
    expected = poisson_draws(node) < 11 * images.astype(int)
    assert encode(images, node).tolist() == expected.astype(int).tolist()


def test_a_draw_equal_to_the_pixel_gives_no_spike():
    node = Input(shape=(4, 8, 8), timesteps=1, code="poisson", gain=1, seed=99)
    draws = poisson_draws(node)
    hits = draws < 255
    assert hits.sum() > 5
    for more in (0, 1):
        image = np.where(hits, draws + more, 0).astype(np.uint8)[None]
        assert encode(image, node)[0][hits].tolist() == [more] * int(hits.sum())


@pytest.mark.parametrize("gain", [16, 5])
@pytest.mark.parametrize("bits", [8, 10])
def test_a_poisson_code_represents_its_mean(gain, bits):
    """c·x spikes per step with c = gain / 2^(bits + 4); 400 steps of 784 pixels."""
    level = 100 << (bits - 8)
    images = np.full((1, 1, 28, 28), level, np.uint16)
    node = Input(shape=(1, 28, 28), timesteps=400, code="poisson", pixel_bits=bits, gain=gain)
    found = decode_input(images, node, graph_of())
    assert found.offset.tolist() == [0.0]
    assert found.scale.tolist() == [(1 << (bits + 4)) / (400 * gain)]
    codes = encode(images, node)
    assert codes.max() <= 400
    assert found.scale[0] * codes.mean() == pytest.approx(level, rel=0.01)
