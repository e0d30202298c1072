// Ports and parameters of the families' PLLs, for lint.
/* verilator lint_off DECLFILENAME */
/* verilator lint_off UNUSEDSIGNAL */
/* verilator lint_off UNUSEDPARAM */
/* verilator lint_off UNDRIVEN */
module EHXPLLL #(
    parameter CLKI_DIV = 1, CLKFB_DIV = 1, CLKOP_DIV = 1, CLKOP_CPHASE = 0, CLKOP_FPHASE = 0,
    parameter FEEDBK_PATH = "", CLKOP_ENABLE = "", CLKOS_ENABLE = "", CLKOS2_ENABLE = "",
    parameter CLKOS3_ENABLE = "", PLLRST_ENA = "", INTFB_WAKE = "", STDBY_ENABLE = "",
    parameter DPHASE_SOURCE = "", OUTDIVIDER_MUXA = "", OUTDIVIDER_MUXB = "",
    parameter OUTDIVIDER_MUXC = "", OUTDIVIDER_MUXD = ""
) (
    input wire CLKI, CLKFB, RST, STDBY, ENCLKOP, PLLWAKESYNC, PHASESEL0, PHASESEL1, PHASEDIR,
    input wire PHASESTEP, PHASELOADREG,
    output wire CLKOP, LOCK
);
endmodule
module SB_PLL40_PAD #(
    parameter FEEDBACK_PATH = "",
    parameter [3:0] DIVR = 0, parameter [6:0] DIVF = 0, parameter [2:0] DIVQ = 0,
    parameter [2:0] FILTER_RANGE = 0
) (
    input wire PACKAGEPIN, RESETB, BYPASS,
    output wire PLLOUTGLOBAL, LOCK
);
endmodule
