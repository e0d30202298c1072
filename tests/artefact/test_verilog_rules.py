"""Which Verilog is compiled: what generated cores hold, and what runs something."""

from __future__ import annotations

from pathlib import Path

import pytest

from hwgen.artefact.verilog_rules import problem
from hwgen.generation import generate
from tests.support.random_networks import random_network

TEMPLATES = Path(__file__).parents[2] / "rtl_templates"

ALLOWED = [
    "assign a = b / c; // a quotient",
    "always @(*) begin end",
    "always @* begin end",
    "assign a = $signed(b) >>> $clog2(8);",
    "wire \\$signal$3 ; wire \\import.x ; assign \\a[3] = \\b.c ;",
    '(* rom_style = "block" *) reg [3:0] a;',
    "(* init = 4'h0 *) reg [3:0] a;",
    "(* parallel_case *) case (a) endcase",
    'm #(.WIDTH(4), .FILE("w.hex")) one (.clk(clk));',
    'module m #(parameter WIDTH = 1, parameter FILE = "") (input a);',
    'initial if (FILE != "") $readmemh(FILE, rows);',
    'initial $readmemb("w.hex", rows);',
    "reg important; reg included;",
    "if (a) $finish;",
]

REFUSED = {
    "a command of the shell": ('initial $system("id");', r"holds '$system"),
    "a file that is written": ('initial $fopen("x");', r"holds '$fopen"),
    "memory that is written": ("initial $writememh(x);", r"holds '$writememh"),
    "a dump": ("initial $dumpvars;", r"holds '$dumpvars"),
    "C++ of Verilator": ('initial $c("abort();");', r"holds '$c"),
    "C++ with a width": ('assign a = $c32("f()");', r"holds '$c32"),
    "a longer name": ("initial $readmemh$x;", r"holds '$readmemh$x"),
    "a name within another": ("assign a = b$system;", r"holds '$system"),
    "a task after a number": ("assign a = 3$system;", r"holds '$system"),
    "an escaped call": ('initial \\$fopen ("x");', r"a call of '\\$fopen'"),
    "an escaped call, a comment between": (
        'initial \\$fopen // x\n ("x");', r"a call of '\\$fopen'"),
    "an escaped call of a member": ('initial \\a.\\$fopen ("x");', "holds"),
    "C++ by a directive": ("`systemc_header\nint x;", "'`systemc_header'"),
    "a file that is included": ('`include "/etc/passwd"', "'`include'"),
    "a macro": ("`define A 1", "'`define'"),
    "a macro's use": ("wire `A;", "'`A;'"),
    "a Verilator configuration": ("`verilator_config", "'`verilator_config'"),
    "a foreign function": ('import "DPI-C" function int system(input string x);', "'import'"),
    "an exported function": ("export function f;", "'export'"),
    "a parameter from afar": ("defparam a.FILE = 3;", "'defparam'"),
    "a module that binds itself": ("bind hwgen_bench x y();", "'bind'"),
    "a block comment": ("/* verilator public */", "holds '/*"),
    "a comment for Verilator": ("// verilator public", "holds '// verilator"),
    "a comment for Verilator, in capitals": ("//Verilator public", "holds '//Verilator"),
    "a comment that goes on": ("// a \\\n$system", "holds '// a"),
    "a comment in a comment": ("// /* a", "holds '// /*"),
    "a comment in a name": ("\\a/* // */", "holds '\\\\a/*"),
    "a string in a name": ('\\a"b ', "holds"),
    "a string without end": ('initial x = "abc', "holds"),
    "a string with an escape": ('x = "\\x41"', "holds"),
    "a string over two lines": ('x = "a\nb"', "holds"),
    "a string with a path": ('m #(.FILE("/etc/passwd")) x ();', "holds"),
    "a file above": ('m #(.FILE("..hex")) x ();', "the file '..hex'"),
    "a file of another name": ('m #(.FILE("v.hex")) x ();', "the file 'v.hex'"),
    "a file that is no memory": ('m #(.FILE("manifest.json")) x ();', "the file 'manifest.json'"),
    "a file name in a number": ("m #(.FILE(64'h2f6574632f)) x ();", "not a plain string"),
    "a file name in pieces": ('m #(.FILE({"w", ".hex"})) x ();', "not a plain string"),
    "a file name by position": ('m #(4, 64) x ();', "a parameter without its name"),
    "a delay": ("initial #5 x = 1;", "a delay"),
    "a default in a number": ("module m #(parameter FILE = 64'h1) ();", "not a plain string"),
    "an escaped parameter": ("m #(.\\FILE (64'h1)) x ();", "holds"),
    "a memory of an expression": ("initial $readmemh(name, rows);", "not a plain string"),
    "an attribute": ("(* techmap_do *) reg a;", "an attribute"),
    "a second attribute": ("(* keep, techmap_do *) reg a;", "an attribute"),
    "a carriage return": ("// a\rinitial $system;", "holds"),
    "a form feed": ("wire a;\f", "holds"),
    "a NUL": ("wire a;\0", "holds '\\x00'"),
    "a letter that is not ASCII": ("wire \u00e9;", "holds '\\xe9"),
    "a lone backslash": ("wire \\\n a;", "holds"),
}  # fmt: skip


@pytest.mark.parametrize("text", ALLOWED)
def test_what_cores_hold_is_allowed(text: str) -> None:
    assert problem(f"{text}\n", files={"w.hex"}) is None


@pytest.mark.parametrize("case", REFUSED)
def test_what_runs_something_is_refused(case: str) -> None:
    text, message = REFUSED[case]
    found = problem(f"module a;\n{text}\nendmodule\n", files={"w.hex"})
    assert found is not None
    assert message in found
    assert found.isprintable()


@pytest.mark.parametrize("seed", [1, 6])
def test_generated_cores_are_allowed(seed: int) -> None:
    files = generate(random_network(seed), lanes=2).files()
    for name, text in files.items():
        if name.endswith(".v"):
            assert problem(text, files=set(files)) is None, name


def test_hand_written_modules_of_cores_are_allowed() -> None:
    text = (TEMPLATES / "hwgen_weight_memory.v").read_text()
    assert problem(text, files=()) is None


def test_the_line_is_that_of_the_problem() -> None:
    text = "// one\nmodule a;\n\nimport b;\nendmodule\n"
    assert problem(text, files=()) == "holds the keyword 'import' in line 4"
