// Where no family's loop is wanted: the shell elaborates without one.
module hwgen_board_pll #(
    parameter REFERENCE = 1, FEEDBACK = 1, OUTPUT = 1, FILTER = 1
) (input wire clk_in, output wire clk_out, locked);
    assign clk_out = clk_in;
    assign locked  = 1'b1;
endmodule
