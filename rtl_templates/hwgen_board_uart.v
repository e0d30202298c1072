// Part of hwgen's output: free for any use, without conditions (NOTICE of hwgen).
// Serial port of the board shell: 8 data bits, no parity, one stop bit.
//
// Bytes in:   "P" and SAMPLE_BYTES bytes: one sample, in the format of an input packet.
//             "E" and INPUT_BYTES bytes: one beat, for a core with address events.
//             "L" and INPUT_BYTES bytes: the same; the beat is the last one of its sample.
//             "C" and one byte: reads the counter at that address.
//             "S": reads the status, the number of packet errors.
//             Other bytes between commands are ignored.
// Bytes out:  every word of a result, lowest byte first, as soon as the core sends it;
//             the counter or status that was read, 4 bytes, lowest first.
//
// There is no flow control: do not read a counter or the status while a result is pending, and do not send a
// sample while the results of two earlier samples are pending.
`default_nettype none

(* keep_hierarchy *)
module hwgen_board_uart #(
    parameter DIVISOR       = 100,  // clock cycles per bit
    parameter INPUT_BYTES   = 1,
    parameter SAMPLE_BYTES  = 1,    // a multiple of INPUT_BYTES; 0 for address events
    parameter OUTPUT_BYTES  = 4,
    parameter ADDRESS_WIDTH = 1
) (
    input  wire                      clk,
    input  wire                      rst,
    input  wire                      rx,
    output wire                      tx,

    output reg  [8*INPUT_BYTES-1:0]  pixels_tdata,
    output reg                       pixels_tvalid,
    input  wire                      pixels_tready,
    output reg                       pixels_tlast,

    input  wire [8*OUTPUT_BYTES-1:0] result_tdata,
    input  wire                      result_tvalid,
    output wire                      result_tready,

    output reg  [ADDRESS_WIDTH-1:0]  counter_address,
    input  wire [31:0]               counter_data,
    input  wire [7:0]                packet_errors
);
    localparam [31:0] PERIOD = DIVISOR - 1, HALF = DIVISOR / 2;
    localparam [31:0] BEATS = SAMPLE_BYTES / INPUT_BYTES, ONE = 1;
    localparam [31:0] IN = INPUT_BYTES, OUT = OUTPUT_BYTES;
    localparam TIMER = $clog2(DIVISOR);
    localparam BEAT  = $clog2(BEATS + 2);
    localparam BYTE  = $clog2(INPUT_BYTES + 1);

    // --- receiver: `rx_byte` is valid in the cycle with `received` ----------------------------
    /* verilator lint_off PROCASSINIT */  // an initial value, although there is a clock
    reg [1:0]       line = 2'b11;
    /* verilator lint_on PROCASSINIT */
    reg [TIMER-1:0] rx_timer;
    reg [3:0]       rx_left;
    reg [7:0]       rx_byte;
    reg             received;

    always @(posedge clk) begin
        line     <= {line[0], rx};
        received <= 1'b0;
        if (rst) begin
            rx_left <= 4'd0;
        end else if (rx_left == 4'd0) begin
            rx_timer <= HALF[TIMER-1:0];
            if (!line[1]) rx_left <= 4'd10;
        end else if (rx_timer != 0) begin
            rx_timer <= rx_timer - 1'b1;
        end else begin
            rx_timer <= PERIOD[TIMER-1:0];
            rx_left  <= rx_left - 4'd1;
            if (rx_left == 4'd10) begin
                if (line[1]) rx_left <= 4'd0;  // a glitch, not a start bit
            end else if (rx_left == 4'd1) begin
                received <= line[1];
            end else begin
                rx_byte <= {line[1], rx_byte[7:1]};
            end
        end
    end

    // --- commands -----------------------------------------------------------------------------
    localparam IDLE = 2'd0, BEATS_COME = 2'd1, ADDRESS = 2'd2;
    reg [1:0]      state;
    reg            closes;      // the last beat of the command ends the sample
    reg [BYTE-1:0] bytes_left;  // left of the beat
    reg [BEAT-1:0] beats_left;  // left of the command
    reg [1:0]      asked;       // the counter's value follows its address by one cycle
    reg            status;      // asked for the status, not for a counter

    /* verilator lint_off UNUSEDSIGNAL */  // the byte that leaves, and spare bits of the address
    wire [8*INPUT_BYTES+7:0] shifted = {rx_byte, pixels_tdata};
    wire [ADDRESS_WIDTH+7:0] address = {{ADDRESS_WIDTH{1'b0}}, rx_byte};
    /* verilator lint_on UNUSEDSIGNAL */

    always @(posedge clk) begin
        asked <= {asked[0], 1'b0};
        if (pixels_tready) pixels_tvalid <= 1'b0;
        if (rst) begin
            state         <= IDLE;
            pixels_tvalid <= 1'b0;
            asked         <= 2'b00;
        end else if (received) begin
            case (state)
                BEATS_COME: begin
                    pixels_tdata <= shifted[8*INPUT_BYTES+7:8];
                    bytes_left   <= bytes_left - 1'b1;
                    if (bytes_left == 1) begin
                        bytes_left    <= IN[BYTE-1:0];
                        beats_left    <= beats_left - 1'b1;
                        pixels_tvalid <= 1'b1;
                        pixels_tlast  <= closes && beats_left == 1;
                        if (beats_left == 1) state <= IDLE;
                    end
                end
                ADDRESS: begin
                    counter_address <= address[ADDRESS_WIDTH-1:0];
                    asked[0]        <= 1'b1;
                    status          <= 1'b0;
                    state           <= IDLE;
                end
                default: begin
                    bytes_left <= IN[BYTE-1:0];
                    beats_left <= rx_byte == "P" ? BEATS[BEAT-1:0] : ONE[BEAT-1:0];
                    closes     <= rx_byte != "E";
                    if (rx_byte == "P" && BEATS != 0) state <= BEATS_COME;
                    if (rx_byte == "E" || rx_byte == "L") state <= BEATS_COME;
                    if (rx_byte == "C") state <= ADDRESS;
                    if (rx_byte == "S") begin
                        asked[0] <= 1'b1;
                        status   <= 1'b1;
                    end
                end
            endcase
        end
    end

    // --- replies ------------------------------------------------------------------------------
    reg [8*OUTPUT_BYTES-1:0] reply;
    reg [3:0]                reply_left;
    reg [TIMER-1:0]          tx_timer;
    reg [3:0]                tx_left;
    reg [9:0]                tx_shift;

    wire tx_idle = tx_left == 4'd0;
    wire answer  = asked[1];

    assign result_tready = reply_left == 4'd0 && !answer && !rst;
    assign tx            = tx_idle || tx_shift[0];

    always @(posedge clk) begin
        if (rst) begin
            reply_left <= 4'd0;
            tx_left    <= 4'd0;
        end else begin
            if (answer) begin
                reply[31:0] <= status ? {24'd0, packet_errors} : counter_data;
                reply_left  <= 4'd4;
            end else if (result_tvalid && result_tready) begin
                reply      <= result_tdata;
                reply_left <= OUT[3:0];
            end else if (tx_idle && reply_left != 4'd0) begin
                reply      <= reply >> 8;
                reply_left <= reply_left - 4'd1;
                tx_shift   <= {1'b1, reply[7:0], 1'b0};
                tx_left    <= 4'd10;
                tx_timer   <= PERIOD[TIMER-1:0];
            end
            if (!tx_idle) begin
                tx_timer <= tx_timer == 0 ? PERIOD[TIMER-1:0] : tx_timer - 1'b1;
                if (tx_timer == 0) begin
                    tx_shift <= tx_shift >> 1;
                    tx_left  <= tx_left - 4'd1;
                end
            end
        end
    end
endmodule

`default_nettype wire
