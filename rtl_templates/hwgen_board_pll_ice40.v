// Part of hwgen's output: free for any use, without conditions (NOTICE of hwgen).
// iCE40: clk_out = clk_in * (FEEDBACK + 1) / (REFERENCE + 1) / 2^OUTPUT. Placed at the clock pin.
`default_nettype none

/* verilator lint_off DECLFILENAME */  // one module name for all families
module hwgen_board_pll #(
    parameter REFERENCE = 0,
    parameter FEEDBACK  = 0,
    parameter OUTPUT    = 0,
    parameter FILTER    = 1
) (
    input  wire clk_in,
    output wire clk_out,
    output wire locked
);
    localparam [31:0] R = REFERENCE, F = FEEDBACK, Q = OUTPUT, RANGE = FILTER;

    SB_PLL40_PAD #(
        .FEEDBACK_PATH("SIMPLE"), .DIVR(R[3:0]), .DIVF(F[6:0]), .DIVQ(Q[2:0]),
        .FILTER_RANGE(RANGE[2:0])
    ) pll (
        .PACKAGEPIN(clk_in), .PLLOUTGLOBAL(clk_out), .LOCK(locked),
        .RESETB(1'b1), .BYPASS(1'b0)
    );
endmodule

`default_nettype wire
