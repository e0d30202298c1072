"""Options and calibration data that are wrong."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

from hwgen.conversion import Options, convert
from hwgen.errors import ConversionError, DataError
from hwgen.network import Code, InputCode
from tests.support.float_models import pixels, tiny_cnn


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"method": "magic"}, "unknown method 'magic'; available: spikeconverter"),
        ({"neuron": "lif"}, "unknown neuron 'lif'; did you mean 'ilif'?"),
        ({"neuron": "if-hard"}, "unknown neuron 'if-hard'; did you mean 'if_hard'?"),
        ({"neuron": "if_hard"}, "one of ilif, if2, if for method 'spikeconverter', not 'if_hard'"),
        (
            {"method": "treshold_relu"},
            "'treshold_relu'; did you mean 'threshold_relu'?",
        ),
        ({"thresholds": "curent"}, "unknown thresholds 'curent'; did you mean 'current'?"),
        ({"input_code": "posson"}, "unknown input_code 'posson'; did you mean 'poisson'?"),
        ({"decoder": "spikecount"}, "'spikecount'; did you mean 'spike_count'?"),
        ({"pixel_bits": 0}, "pixel_bits must be an integer from 1 to 16, not 0"),
        ({"error": "cubic"}, "unknown error 'cubic'; available: absolute, squared"),
        ({"bias_correction": True}, "unknown bias_correction True; available: none, mean"),
        ({"timesteps": 0}, "timesteps must be an integer from 1 to 16, not 0"),
        ({"timesteps": 4.0}, "timesteps must be an integer"),
        ({"timesteps": 17}, "not 17"),
        ({"weight_bits": 1}, "weight_bits must be an integer from 2 to 16, not 1"),
        ({"layer_timesteps": {"0": 99}}, "timesteps of '0' must be"),
        ({"layer_timesteps": {"conv": 4}}, "given for conv, but the network has input, 0, 3"),
        ({"layer_timesteps": {"0": 4}, "neuron": "if"}, "single-phase neurons fire in the step"),
        (
            {"layer_timesteps": {"conv": 4}, "mean_timesteps": 3},
            "given for conv, but the network has input, 0, 3",
        ),
        ({"mean_timesteps": 0.5}, "mean_timesteps must be a number from 1 to 16, not 0.5"),
        ({"mean_timesteps": 3, "neuron": "if2"}, "mean_timesteps needs neuron 'ilif' with leak 2"),
        ({"mean_timesteps": 3, "leak": 1.6}, "not 'ilif' with leak 1.6; leave it out"),
        ({"leak": 2.5}, "leak must be a k above 1, up to 2"),
        ({"leak": "5/9"}, "leak n/2^m must have m from 0 to 8"),
        ({"leak": 1.6, "neuron": "if2"}, "leak needs neuron 'ilif', not 'if2'"),
        (
            {"thresholds": "least"},
            "unknown thresholds 'least'; available: error, maximum, one, current",
        ),
        ({"threshold_scale": 0.0}, "threshold_scale must be a number above 0, up to 4"),
        ({"eta": 1.0}, "eta must be a number of at least 0 and below 1, not 1.0"),
        ({"timesteps": 1025, "neuron": "if"}, "from 1 to 1024, not 1025"),
        ({"percentile": 0}, "percentile must be a number above 0, up to 100, not 0"),
        ({"percentile": "99"}, "percentile must be a number above 0, up to 100, not '99'"),
        ({"eta": float("nan")}, "eta must be a number of at least 0 and below 1, not nan"),
        (
            {"layer_timesteps": 4},
            "layer_timesteps must be a mapping of layers to timesteps, not 4",
        ),
        ({"finetuning": 3}, "finetuning must be a Finetuning, not int; use"),
        ({"scale": 0}, "scale must be positive, not 0"),
        ({"scale": -1}, "scale must be positive"),
        ({"std": [0.5, 0]}, "std must be positive"),
        ({"mean": [0.5, 0.5, 0.5]}, "one for each of 2 channels"),
        ({"mean": float("nan")}, "mean must be one finite number"),
        ({"mean": "half"}, "mean must be numbers"),
        ({"pixel_bits": 7}, "pixels must fit 7 bits, but the largest is"),
        ({"name": ""}, "name must be a string"),
        ({"rounding": "up"}, "unknown rounding 'up'; available: nearest, fitted"),
        (
            {"input_code": "radix", "method": "rmp"},
            "neuron 'if' with input code 'radix' is not a legal combination",
        ),
        (
            {"input_code": "direct"},
            "neuron 'ilif' with input code 'direct' is not a legal combination",
        ),
        ({"input_gain": 17}, "input_gain must be an integer from 1 to 16, not 17"),
        ({"input_seed": 0}, "input_seed must be an integer from 1 to 4294967295, not 0"),
        (
            {"timesteps": 100, "neuron": "if2", "input_code": "radix"},
            "timesteps of 'input' must be an integer from 1 to 16, not 100",
        ),
        (
            {"layer_timesteps": {"input": 1025}, "input_code": "poisson"},
            "timesteps of 'input' must be an integer from 1 to 1024, not 1025",
        ),
        (
            {"floor": 0.5, "neuron": "if"},
            "floor must be a number from -16 to 0 thresholds",
        ),
        ({"floor": 0.0}, "floor and drive need a neuron that"),
        ({"drive": 0.1, "neuron": "if2"}, "floor and drive need a neuron"),
        ({"drive": 1.0, "neuron": "if"}, "drive must be a number between -1 and 1"),
        ({"search_images": 0}, "search_images must be an integer from 1"),
        ({"search_rounds": -1}, "search_rounds must be an integer from 0"),
        (
            {"search_step": 0.1},
            "search_stop must be at most search_step, 0.1, not 0.25",
        ),
        ({"calibration_images": 0}, "calibration_images must be an integer of at least 1, not 0"),
    ],
)
def test_options(options, expected):
    with pytest.raises(ConversionError) as caught:
        convert(tiny_cnn(), pixels((2, 8, 8), samples=40), **options)
    assert expected in str(caught.value)


def test_the_search_may_stop_at_its_first_step_but_not_above() -> None:
    assert Options(search_step=0.5, search_stop=0.5).search_stop == 0.5
    with pytest.raises(ConversionError, match=r"at most search_step, 0\.5, not 0\.51"):
        Options(search_step=0.5, search_stop=0.51)


def test_the_input_s_own_timesteps_count_for_its_code():
    options = Options(neuron="if2", timesteps=100, input_code="radix", layer_timesteps={"input": 8})
    assert (options.steps("input"), options.steps("conv")) == (8, 100)
    assert (options.source_code, options.code) == (InputCode.RADIX, Code.RATE)


def test_every_option_is_in_the_signature():
    """Editors and mypy see them all; a default is None or that of the dataclass."""
    parameters = inspect.signature(convert).parameters
    assert set(Options.__dataclass_fields__) <= set(parameters)
    kinds = {parameter.kind for parameter in parameters.values()}
    assert kinds == {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    for name, option in Options.__dataclass_fields__.items():
        default = parameters[name].default
        assert default is None or default == option.default, name


@pytest.mark.parametrize(
    ("images", "labels", "expected"),
    [
        ([[1], [1, 2]], None, "calibration images: must be a NumPy array, not list"),
        (np.full((3, 2, 8, 8), -0.5), None, "are not pixels 0 … 65535, nor such pixels scaled"),
        (np.full((3, 2, 8, 8), -1), None, "must not be negative"),
        (np.zeros((0, 2, 8, 8), np.uint8), None, "there are no images"),
        (pixels((2, 8, 8)), np.zeros(5, int), "5 labels for 6 images"),
    ],
)
def test_data(images, labels, expected):
    with pytest.raises(DataError, match=expected):
        convert(tiny_cnn(), images, labels=labels)


def test_logits_that_overflow():
    model = tiny_cnn()
    for parameter in model.parameters():
        parameter.data *= 1e30
    with pytest.raises(ConversionError, match="NaN or infinite"):
        convert(model, pixels((2, 8, 8)))
