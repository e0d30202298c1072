// Part of hwgen's output: free for any use, without conditions (NOTICE of hwgen).
// Read-only memory of weight rows, initialised from a file; block RAM in synthesis.
// A row follows its address by one clock cycle.
module hwgen_weight_memory #(
    parameter WIDTH = 8,
    parameter DEPTH = 2,
    parameter ADDRESS_WIDTH = 1,
    parameter FILE = ""
) (
    input wire clk,
    input wire [ADDRESS_WIDTH-1:0] address,
    output reg [WIDTH-1:0] row
);
    (* rom_style = "block" *) reg [WIDTH-1:0] rows [0:DEPTH-1];
    // The condition is for tools that also elaborate a module with its default parameters.
    initial if (FILE != "") $readmemh(FILE, rows);
    always @(posedge clk) row <= rows[address];
endmodule
