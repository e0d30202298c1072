"""What cannot be converted is refused before any work, all at once, by its place in the model."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from hwgen.conversion import convert
from hwgen.errors import ConversionError
from tests.support.float_models import (
    Forward,
    assert_fuses,
    fused,
    pixels,
    randomised,
    tiny_cnn,
)

S = nn.Sequential
SHAPE = (3, 12, 12)


def refusal(model: nn.Module, shape: tuple[int, int, int] = SHAPE) -> str:
    with pytest.raises(ConversionError) as caught:
        fused(model.eval(), shape)
    return str(caught.value)


def test_all_unsupported_operators_at_once_by_name():
    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3, padding=2, dilation=2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x + F.silu(self.conv(x))

    model = S(
        nn.Conv2d(3, 4, 3, padding=1, padding_mode="reflect"), nn.GELU(), Block(),
        nn.GroupNorm(2, 4), nn.ReLU(), nn.LPPool2d(2, 2), nn.ConvTranspose2d(4, 4, 3), nn.Flatten(),
        nn.Linear(256, 5),
    )  # fmt: skip
    message = refusal(model)
    for expected in (
        "0 (Conv2d): padding mode 'reflect' is not supported; pad with zeros",
        "1 (GELU): replace it by ReLU",
        "2.conv (Conv2d): dilation (2, 2) is not supported; use dilation 1",
        '2.forward, "return x + F.silu(self.conv(x))" (silu): replace it by ReLU',
        "3 (GroupNorm): replace it by BatchNorm",
        "5 (LPPool2d)",
        "6 (ConvTranspose2d): use Conv2d; transposed convolutions are not supported",
    ):
        assert expected in message
    assert "8 (Linear)" not in message
    assert "4 (ReLU)" not in message


def test_one_line_for_each_kind_of_operator_with_its_first_places() -> None:
    class Block(nn.Module):
        def __init__(self, dilation: int) -> None:
            super().__init__()
            self.conv = nn.Conv2d(4, 4, 3, padding=dilation, dilation=dilation)
            self.act = nn.SiLU()

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return F.gelu(self.act(self.conv(x)))

    model = S(nn.Conv2d(3, 4, 1), *(Block(n) for n in (2, 3, 2, 4)), nn.Flatten(),
              nn.Linear(576, 5))  # fmt: skip
    activation = "replace it by ReLU, ReLU6 or clamp(0, c) and train again"
    assert refusal(model) == (
        "the model has 12 parts that cannot be converted:\n"
        "  - Conv2d, 4 times (1.conv, 2.conv, 3.conv and 1 more): dilation (2, 2) is not "
        "supported; use dilation 1 with a larger kernel or stride\n"
        f"  - SiLU, 4 times (1.act, 2.act, 3.act and 1 more): {activation}\n"
        '  - gelu, 4 times (1.forward, 2.forward, 3.forward and 1 more, the first at "return '
        f'F.gelu(self.act(self.conv(x)))"): {activation}'
    )


def test_one_kind_of_operator_is_one_line() -> None:
    model = S(nn.Flatten(), nn.Linear(432, 8), nn.SiLU(), nn.Linear(8, 8), nn.SiLU(),
              nn.Linear(8, 5))  # fmt: skip
    assert refusal(model) == (
        "SiLU, 2 times (2, 4): replace it by ReLU, ReLU6 or clamp(0, c) and train again"
    )


def test_several_lines_of_one_function_are_counted() -> None:
    def forward(m: nn.Module, x: torch.Tensor) -> torch.Tensor:
        x = F.silu(x)
        x = F.silu(x.flatten(1))
        return m.fc(x)

    assert refusal(Forward(forward, fc=nn.Linear(432, 5))).startswith(
        'silu, 2 times (forward and 1 more, the first at "x = F.silu(x)"): replace it by ReLU'
    )


def test_results_of_a_refused_operator_are_not_refused_again() -> None:
    model = Forward(lambda m, x: m.fc(torch.add(*x.flatten(1).chunk(2, 1))), fc=nn.Linear(216, 5))
    assert refusal(model).endswith("(chunk): train without splitting of maps")


def test_names_of_modules_that_no_terminal_should_see() -> None:
    model = S(nn.Flatten())
    model.add_module("\x1b[2Jfc", nn.Linear(432, 5))
    model.add_module("act", nn.SiLU())
    model.add_module("\x1b[2Jgo", nn.GELU())
    model.add_module("last", nn.Linear(5, 5))
    assert refusal(model).isprintable() is False  # of several lines
    assert all(line.isprintable() for line in refusal(model).splitlines())
    assert r"\x1b[2Jgo (GELU)" in refusal(model)


ONE = {
    "prelu": (S(nn.Conv2d(3, 4, 3), nn.PReLU(), nn.Flatten(), nn.Linear(400, 5)), "1 (PReLU)"),
    "leaky": (
        S(nn.Conv2d(3, 4, 3), nn.LeakyReLU(0.1), nn.Flatten(), nn.Linear(400, 5)),
        "1 (LeakyReLU): replace it by ReLU",
    ),
    "negative clamp": (
        S(nn.Conv2d(3, 4, 3), nn.Hardtanh(), nn.Flatten(), nn.Linear(400, 5)),
        "1 (Hardtanh): clamps below at -1",
    ),
    "empty clamp": (
        S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Hardtanh(-2, -1), nn.Flatten(), nn.Linear(400, 5)),
        "2 (Hardtanh): clamp(-2, -1) lets nothing through",
    ),
    "softmax in the middle": (
        S(nn.Flatten(), nn.Linear(432, 8), nn.Softmax(1), nn.Linear(8, 5)),
        "2 (Softmax): only a softmax over the classes at the very end",
    ),
    "softmax of one class": (
        S(nn.Flatten(), nn.Linear(432, 1), nn.Softmax(1)),
        "2 (Softmax): a softmax over a single class is always 1; use a sigmoid or two classes",
    ),
    "sigmoid in the middle": (
        S(nn.Flatten(), nn.Linear(432, 8), nn.Sigmoid(), nn.Linear(8, 5)),
        "2 (Sigmoid): replace it by ReLU",
    ),
    "pool at the end": (
        S(nn.Conv2d(3, 5, 3), nn.AdaptiveMaxPool2d(1), nn.Flatten()),
        "must end with a linear map",
    ),
    "uneven average": (
        S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.AvgPool2d(3, 2, 1, count_include_pad=False),
          nn.Flatten(), nn.Linear(100, 5)),
        "2 (AvgPool2d): windows over the border",
    ),
    "average, ceil": (
        S(nn.AvgPool2d(5, ceil_mode=True), nn.Flatten(), nn.Linear(27, 5)),
        "0 (AvgPool2d): windows over the border",
    ),
    "uneven adaptive pool": (
        S(nn.AdaptiveAvgPool2d(5), nn.Flatten(), nn.Linear(75, 5)),
        "0 (AdaptiveAvgPool2d): an adaptive pool from (12, 12) to (5, 5)",
    ),
    "dilated pool": (
        S(nn.MaxPool2d(2, dilation=2), nn.Flatten(), nn.Linear(75, 5)),
        "0 (MaxPool2d): dilation (2, 2)",
    ),
    "wide padding": (
        S(nn.ZeroPad2d(3), nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(1024, 5)),
        "1 (Conv2d): padding (3, 3, 3, 3) (top, left, bottom, right) must be less than the kernel",
    ),
    "crop": (
        S(nn.ZeroPad2d(-1), nn.Flatten(), nn.Linear(300, 5)), "0 (ZeroPad2d): negative padding"
    ),
    "batch statistics": (
        S(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU(),
          nn.Flatten(), nn.Linear(400, 5)),
        "1 (BatchNorm2d): batch norm uses the statistics of the batch",
    ),
    "transposed maps": (
        Forward(lambda m, x: m.fc(x.permute(0, 2, 3, 1).flatten(1)), fc=nn.Linear(432, 5)),
        '(permute): keep images as (samples, channels, height, width)',
    ),
    "batch mixed up": (
        Forward(lambda m, x: m.fc(x.reshape(-1, 864)).expand(2, 5), fc=nn.Linear(864, 5)),
        "a view must keep the samples apart",
    ),
    "one mean a pixel": (
        Forward(lambda m, x: m.fc((F.relu(m.conv(x - torch.arange(12.)))).flatten(1)),
                conv=nn.Conv2d(3, 4, 3), fc=nn.Linear(400, 5)),
        "a constant that differs between pixels",
    ),
    "no dependence": (
        Forward(lambda m, x: m.fc(torch.ones(2, 432)), fc=nn.Linear(432, 5)),
        "do not depend on the images",
    ),
}  # fmt: skip


UNSIGNED = {
    "two convolutions, padded": (
        S(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Flatten(),
          nn.Linear(400, 5)),
        "1 (Conv2d): follows 0 (Conv2d) with no ReLU between",
    ),
    "a bias under padding": (
        S(nn.Conv2d(3, 4, 2, 2), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.Flatten(),
          nn.Linear(144, 5)),
        "1 (Conv2d): follows 0 (Conv2d) with no ReLU between",
    ),
    "rows left over under padding": (
        S(nn.Conv2d(3, 4, 5, 5, bias=False), nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(),
          nn.Flatten(), nn.Linear(16, 5)),
        "1 (Conv2d): follows 0 (Conv2d) with no ReLU between",
    ),
    "pool between linear maps": (
        S(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.Conv2d(4, 4, 3), nn.ReLU(), nn.Flatten(),
          nn.Linear(36, 5)),
        "2 (Conv2d): follows 0 (Conv2d) with no ReLU between",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", UNSIGNED)
def test_linear_maps_without_a_neuron_for_negative_values(case):
    model, expected = UNSIGNED[case]
    with pytest.raises(ConversionError) as caught:
        fused(model.eval(), SHAPE, linear=False)
    assert expected in str(caught.value)
    assert "use neuron 'ilif'" in str(caught.value)
    assert_fuses(model)


@pytest.mark.parametrize("case", ONE)
def test_one(case):
    model, expected = ONE[case]
    assert expected in refusal(model)


def test_negative_scale_after_a_pool_of_a_linear_map():
    model = randomised(
        S(nn.Conv2d(3, 4, 3), nn.MaxPool2d(2), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(),
          nn.Linear(100, 5))
    )  # fmt: skip
    model[2].weight.data[1] = -1
    assert "2 (BatchNorm2d): a scale that is not positive" in refusal(model)


def test_negative_scale_before_a_pool():
    model = randomised(
        S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.MaxPool2d(2), nn.Flatten(),
          nn.Linear(100, 5))
    )  # fmt: skip
    model[2].weight.data[1] = -1
    assert "3 (MaxPool2d): a negative scale before a max-pool" in refusal(model)


def test_padding_that_no_spike_train_can_carry():
    model = randomised(
        S(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.BatchNorm2d(4), nn.Conv2d(4, 4, 3, padding=1),
          nn.ReLU(), nn.Flatten(), nn.Linear(400, 5))
    )  # fmt: skip
    model[2].bias.data[:] = 2
    model[2].running_mean.zero_()
    message = refusal(model)
    assert "3 (Conv2d): its padding is the value -" in message
    assert "put the batch norm before the ReLU, or use padding=0" in message


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_weights_that_are_no_numbers(value):
    model = tiny_cnn()
    model[0].weight.data[1, 0, 0, 0] = value
    model[6].bias.data[:2] = value
    message = refusal(model, (2, 8, 8))
    assert "0 (Conv2d): weight holds 1 value that is NaN or infinite" in message
    assert "6 (Linear): bias holds 2 values that are NaN or infinite" in message


# --- the model's input and output ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "shape", "expected"),
    [
        (tiny_cnn(), (2, 10, 10), "it accepts (2, 8, 8)"),
        (tiny_cnn(), (1, 8, 8), "it accepts (2, 8, 8)"),
        (S(nn.Flatten(), nn.Linear(784, 10)), (1, 8, 8), "it accepts (1, 28, 28)"),
    ],
)
def test_wrong_image_size_tells_the_right_one(model, shape, expected):
    message = refusal(model, shape)
    assert f"does not accept images of {shape}" in message
    assert expected in message


def test_program_of_another_image_size():
    program = torch.export.export(tiny_cnn(), (torch.zeros(2, 2, 8, 8),), strict=False)
    with pytest.raises(ConversionError, match=r"\(2, 9, 9\).*exported for \(2, 8, 8\)"):
        fused(program, (2, 9, 9))


@pytest.mark.parametrize(
    ("forward", "expected"),
    [
        (lambda m, x: (m.fc(x.flatten(1)), x), "one tensor, the logits, not tuple"),
        (lambda m, x: {"logits": m.fc(x.flatten(1))}, "not dict"),
        (lambda m, x: x, r"not \(2, 3, 12, 12\)"),
        (lambda m, x: m.fc(x.flatten(1)) if x.sum() > 1 else m.fc(x.flatten(1)), "cannot trace"),
        (lambda m, x: m.nothing(x), "does not accept images"),
    ],
)
def test_wrong_output_and_control_flow(forward, expected):
    with pytest.raises(ConversionError, match=expected):
        fused(Forward(forward, fc=nn.Linear(432, 5)).eval(), SHAPE)


def test_no_module():
    with pytest.raises(ConversionError, match=r"torch.nn.Module .* not int"):
        convert(3, pixels((2, 8, 8)))


# --- models that cannot be traced: one line, and no text of another library ----------------------


def test_a_script_is_refused() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # newer versions of PyTorch deprecate scripts
        scripted = torch.jit.script(tiny_cnn())
    assert refusal(scripted, (2, 8, 8)) == (
        "the model is a script of torch.jit, which torch.export cannot trace; pass the nn.Module "
        "that it was made of"
    )


def test_parameters_that_were_never_initialised() -> None:
    model = S(nn.LazyConv2d(4, 3), nn.LazyBatchNorm2d(), nn.ReLU(), nn.Flatten(), nn.LazyLinear(5))
    names = "0.weight, 0.bias, 1.weight, 1.bias, 4.weight, 4.bias, 1.running_mean, 1.running_var"
    assert refusal(model) == (
        f"{names}: the parameters were never initialised; load trained weights, or run the model "
        f"on images and train it"
    )
    model(torch.zeros(1, *SHAPE))
    fused(model.eval(), SHAPE)


def test_a_spiking_network_of_another_library() -> None:
    class Leaky(nn.Module):
        __module__ = "snntorch._neurons.leaky"

    assert refusal(S(nn.Flatten(), nn.Linear(432, 5), Leaky())) == (
        "2 (Leaky): a spiking neuron of snntorch has timesteps of its own; convert the CNN that it "
        "replaces: put a ReLU in its place, run the layers once instead of in a loop, and train "
        "that"
    )


def test_a_forward_that_looks_at_its_values(capfd: pytest.CaptureFixture[str]) -> None:
    """The line is named; what the model prints does not get into a result on standard output."""

    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.fc = nn.Linear(432, 5)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            print("shape", x.shape)  # noqa: T201
            if torch.isnan(x).any():
                raise ValueError("nan")
            return self.fc(x.flatten(1))

    message = refusal(Careful())
    assert message.startswith("torch.export cannot trace the model, test_refusals.py:")
    assert message.endswith(
        ', "if torch.isnan(x).any():": its forward must not depend on the values that it computes; '
        "remove checks and branches on them"
    )
    printed = capfd.readouterr()
    assert printed.out == ""
    lines = [line for line in printed.err.splitlines() if line]
    assert set(lines) <= {"shape torch.Size([2, 3, 12, 12])"}
