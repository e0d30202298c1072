// Part of hwgen's output: free for any use, without conditions (NOTICE of hwgen).
// Board shell: oscillator, PLL and reset for the core, and a serial port for its streams. Only the
// PLL, module `hwgen_board_pll`, depends on the FPGA family.
//
// HWGEN_CORE is the core's module name; HWGEN_COUNTERS is defined if the core has counters.
// The modules of the shell keep their hierarchy in synthesis, so that all other cells belong to the
// core and are reported as such.
`default_nettype none

// Releases reset 15 cycles after `go`: the PLL has locked and the button is not pressed.
/* verilator lint_off DECLFILENAME */  // a small module beside the shell
/* verilator lint_off PROCASSINIT */  // initial values: nothing resets the reset
(* keep_hierarchy *)
module hwgen_board_reset (
    input  wire clk,
    input  wire go,
    output reg  rst = 1'b1
);
    reg [1:0] going = 2'b00;
    reg [3:0] hold  = 4'd0;
    always @(posedge clk) begin
        going <= {going[0], go};
        hold  <= going[1] ? hold + {3'd0, hold != 4'd15} : 4'd0;
        rst   <= hold != 4'd15;
    end
endmodule
/* verilator lint_on PROCASSINIT */
/* verilator lint_on DECLFILENAME */

module hwgen_board_shell #(
    parameter DIVISOR       = 100,
    parameter INPUT_BYTES   = 1,
    parameter SAMPLE_BYTES  = 1,
    parameter OUTPUT_BYTES  = 4,
    parameter ADDRESS_WIDTH = 1,
    // Parameters of `hwgen_board_pll`; PLL = 0 clocks the core from the oscillator.
    parameter PLL           = 0,
    parameter PLL_REFERENCE = 1,
    parameter PLL_FEEDBACK  = 1,
    parameter PLL_OUTPUT    = 1,
    parameter PLL_FILTER    = 1
) (
    input  wire clk,
    input  wire reset_n,
    input  wire rx,
    output wire tx
);
    wire core_clk, locked;

    generate
        if (PLL != 0) begin : loop
            hwgen_board_pll #(
                .REFERENCE(PLL_REFERENCE), .FEEDBACK(PLL_FEEDBACK),
                .OUTPUT(PLL_OUTPUT), .FILTER(PLL_FILTER)
            ) pll (.clk_in(clk), .clk_out(core_clk), .locked(locked));
        end else begin : no_loop
            assign core_clk = clk;
            assign locked   = 1'b1;
        end
    endgenerate

    wire rst;
    hwgen_board_reset reset (.clk(core_clk), .go(locked && reset_n), .rst(rst));

    wire [8*INPUT_BYTES-1:0]  pixels_tdata;
    wire                      pixels_tvalid, pixels_tready, pixels_tlast;
    wire [8*OUTPUT_BYTES-1:0] result_tdata;
    wire                      result_tvalid, result_tready;
    /* verilator lint_off UNUSEDSIGNAL */  // by a core without counters
    wire [ADDRESS_WIDTH-1:0]  counter_address;
    /* verilator lint_on UNUSEDSIGNAL */
    wire [31:0]               counter_data;
    wire [7:0]                packet_errors;

    hwgen_board_uart #(
        .DIVISOR(DIVISOR), .INPUT_BYTES(INPUT_BYTES), .SAMPLE_BYTES(SAMPLE_BYTES),
        .OUTPUT_BYTES(OUTPUT_BYTES), .ADDRESS_WIDTH(ADDRESS_WIDTH)
    ) uart (
        .clk(core_clk), .rst(rst), .rx(rx), .tx(tx),
        .pixels_tdata(pixels_tdata), .pixels_tvalid(pixels_tvalid),
        .pixels_tready(pixels_tready), .pixels_tlast(pixels_tlast),
        .result_tdata(result_tdata), .result_tvalid(result_tvalid), .result_tready(result_tready),
        .counter_address(counter_address), .counter_data(counter_data),
        .packet_errors(packet_errors)
    );

    `HWGEN_CORE core (
        .clk(core_clk), .rst(rst),
        .s_axis_tdata(pixels_tdata), .s_axis_tvalid(pixels_tvalid),
        .s_axis_tready(pixels_tready), .s_axis_tlast(pixels_tlast),
        .m_axis_tdata(result_tdata), .m_axis_tvalid(result_tvalid),
        .m_axis_tready(result_tready), .packet_errors(packet_errors),
        /* verilator lint_off PINCONNECTEMPTY */  // the host counts the words of a result
        .m_axis_tlast()
        /* verilator lint_on PINCONNECTEMPTY */
`ifdef HWGEN_COUNTERS
        , .counter_address(counter_address), .counter_data(counter_data)
`endif
    );
`ifndef HWGEN_COUNTERS
    assign counter_data = 32'd0;
`endif
endmodule

`default_nettype wire
