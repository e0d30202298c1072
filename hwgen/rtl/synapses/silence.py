"""Silent timesteps: those before the first one of the shorter of several trains."""

from collections.abc import Sequence

from amaranth import Const, Module, Signal, Value

from hwgen.rtl.streams.loops import step_axes


def count_silence(
    m: Module, window_end: Value, silent_steps: Sequence[int], *, windows: int, timesteps: int
) -> list[Value]:
    """Whether the current window lies in the silent timesteps of each input of a synapse array.

    A pass has ``timesteps`` of ``windows`` each; ``window_end`` ends a window. Input n is silent in
    the first ``silent_steps[n]`` timesteps of a pass.
    """
    if not any(silent_steps):
        return [Const(0)] * len(silent_steps)
    axes = step_axes(m, window_end, [("window", windows), ("step", timesteps)])
    window, step = axes["window"], axes["step"]
    flags: dict[int, Value] = {0: Const(0)}
    for silent in sorted(set(silent_steps) - {0}):
        # A register: the end of a window is known late in its cycle.
        flags[silent] = flag = Signal(name=f"silent_{silent}", init=1)
        with m.If(window.end & (step.count == silent - 1)):
            m.d.sync += flag.eq(0)
        with m.If(step.end):
            m.d.sync += flag.eq(1)
    return [flags[silent] for silent in silent_steps]
