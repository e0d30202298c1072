// Part of hwgen's output: free for any use, without conditions (NOTICE of hwgen).
// ECP5: clk_out = clk_in / REFERENCE * FEEDBACK, with the oscillator at clk_out * OUTPUT.
`default_nettype none

/* verilator lint_off DECLFILENAME */  // one module name for all families
module hwgen_board_pll #(
    parameter REFERENCE = 1,
    parameter FEEDBACK  = 1,
    parameter OUTPUT    = 1,
    /* verilator lint_off UNUSEDPARAM */
    parameter FILTER    = 0  // unused; only the iCE40 PLL has a filter
    /* verilator lint_on UNUSEDPARAM */
) (
    input  wire clk_in,
    output wire clk_out,
    output wire locked
);
    (* ICP_CURRENT = "12" *) (* LPF_RESISTOR = "8" *)
    (* MFG_ENABLE_FILTEROPAMP = "1" *) (* MFG_GMCREF_SEL = "2" *)
    EHXPLLL #(
        .CLKI_DIV(REFERENCE), .CLKFB_DIV(FEEDBACK), .FEEDBK_PATH("CLKOP"),
        .CLKOP_ENABLE("ENABLED"), .CLKOP_DIV(OUTPUT),
        .CLKOP_CPHASE(OUTPUT - 1), .CLKOP_FPHASE(0),
        .CLKOS_ENABLE("DISABLED"), .CLKOS2_ENABLE("DISABLED"), .CLKOS3_ENABLE("DISABLED"),
        .PLLRST_ENA("DISABLED"), .INTFB_WAKE("DISABLED"), .STDBY_ENABLE("DISABLED"),
        .DPHASE_SOURCE("DISABLED"), .OUTDIVIDER_MUXA("DIVA"), .OUTDIVIDER_MUXB("DIVB"),
        .OUTDIVIDER_MUXC("DIVC"), .OUTDIVIDER_MUXD("DIVD")
    ) pll (
        .CLKI(clk_in), .CLKFB(clk_out), .CLKOP(clk_out), .LOCK(locked),
        .RST(1'b0), .STDBY(1'b0), .ENCLKOP(1'b0), .PLLWAKESYNC(1'b0),
        .PHASESEL0(1'b0), .PHASESEL1(1'b0), .PHASEDIR(1'b1), .PHASESTEP(1'b1),
        .PHASELOADREG(1'b1)
    );
endmodule

`default_nettype wire
