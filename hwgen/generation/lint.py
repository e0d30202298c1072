"""Waivers for Verilator's lint: warnings that are harmless in a generated core."""

from __future__ import annotations

WAIVER_FILE = "lint.vlt"
"""File of the build folder; ``verilator --lint-only -Wall lint.vlt NAME.v …`` reads it."""

WAIVED = {
    "CASEOVERLAP": "At most one select of a wide multiplexer is 1: its cases never overlap.",
    "DECLFILENAME": "One file holds all modules of the core.",
    "PROCASSINIT": "Registers start with initial values: no reset is needed after configuration.",
    "UNUSEDSIGNAL": "Other sizes of a unit use the signal, or all of its bits.",
    "VARHIDDEN": "Names of layers come from the network; a unit's signal may have the same name.",
    "WIDTHEXPAND": "yosys writes operands in their own widths, which Verilog extends as intended.",
    "WIDTHTRUNC": "yosys writes `!` of a word for a comparison with 0.",
}
"""Reason why each rule is waived. All other rules hold."""


def waivers(source: str) -> str:
    """Verilator configuration that waives :data:`WAIVED` in the file ``source``, wherever it is."""
    lines = ["// Part of hwgen's output: free for any use, without conditions (NOTICE of hwgen)."]
    lines.append("`verilator_config")
    for rule, reason in WAIVED.items():
        lines.append(f"// {reason}")
        lines += [f'lint_off -rule {rule} -file "{place}{source}"' for place in ("", "*/")]
    return "\n".join(lines) + "\n"
