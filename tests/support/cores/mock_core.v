// Replaces a generated core: plays words from files on its taps and as results, one sample at a
// time, one stream after another. mock_core.py puts in the sizes. fault.hex selects a fault:
//
//   KIND STREAM WORD BIT    KIND 0 nothing, 1 flips BIT of WORD, 2 leaves WORD out, 3 repeats WORD,
//                           4 stops before WORD, 5 withdraws WORD for one cycle, 6 ends the
//                           simulation before WORD, 7 reports a packet error; STREAM 2 is the results (bit 32 is tlast)
module mock_stream #(
    parameter INDEX = 0,
    parameter WIDTH = 1,
    parameter SAMPLE_WORDS = 1,
    parameter DEPTH = 1,
    parameter FILE = ""
) (
    input wire clk,
    input wire rst,
    input wire [31:0] started,      // samples that may be played
    output wire [31:0] finished,
    output wire [WIDTH-1:0] data,
    output wire valid,
    input wire ready
);
    reg [WIDTH-1:0] words [0:DEPTH-1];
    reg [31:0] fault [0:3];
    initial $readmemh(FILE, words);
    reg [31:0] kind;
    reg [31:0] which;
    reg [31:0] place;
    reg [31:0] position;
    initial begin
        $readmemh("fault.hex", fault);
        kind = fault[0];
        which = fault[1];
        place = fault[2];
        position = fault[3];
    end

    reg [31:0] word = 0;
    reg used = 0;       // the fault has been
    reg [31:0] withdrawn = 0;
    wire here = which == INDEX && place == word;
    wire mine = here && !used;
    wire skip = mine && kind == 2;
    wire stop = mine && kind == 4;
    wire hide = mine && kind == 5 && withdrawn == 1;
    assign finished = word / SAMPLE_WORDS;
    assign valid = started * SAMPLE_WORDS > word && !skip && !stop && !hide;
    assign data = words[word] ^ ((here && kind == 1) ? {{WIDTH-1{1'b0}}, 1'b1} << position : 0);

    always @(posedge clk) if (!rst) begin
        if (started * SAMPLE_WORDS > word && mine && kind == 6) $finish;
        if (mine && kind == 5 && valid && !ready) withdrawn <= withdrawn + 1;
        if (hide) withdrawn <= 2;
        if (skip && started * SAMPLE_WORDS > word) begin
            word <= word + 1;
            used <= 1;
        end else if (valid && ready) begin
            if (mine && kind == 3) used <= 1;
            else word <= word + 1;
        end
    end
endmodule

module mock (
    input wire clk,
    input wire rst,
    input wire [`INPUT_WIDTH-1:0] s_axis_tdata,
    input wire s_axis_tvalid,
    output wire s_axis_tready,
    input wire s_axis_tlast,
    output wire [31:0] m_axis_tdata,
    output wire m_axis_tvalid,
    input wire m_axis_tready,
    output wire m_axis_tlast,
    input wire [2:0] counter_address,
    output reg [31:0] counter_data,
    output wire [7:0] packet_errors,
    output wire [`WIDTH_0-1:0] tap_0_data,
    output wire tap_0_valid,
    output wire tap_0_ready,
    output wire [`WIDTH_1-1:0] tap_1_data,
    output wire tap_1_valid,
    output wire tap_1_ready
);
    reg [`INPUT_WIDTH-1:0] beats [0:`INPUT_BEATS-1];
    initial $readmemh("beats.hex", beats);

    reg [31:0] fault [0:3];
    initial $readmemh("fault.hex", fault);
    assign packet_errors = fault[0] == 7;

    reg [31:0] beat = 0;
    reg [31:0] wrong_beats = 0;
    reg [31:0] cycles = 0;
    reg [31:0] samples = 0;
    reg [31:0] spikes_0 = 0;
    reg [31:0] spikes_1 = 0;
    wire [31:0] finished_0;
    wire [31:0] finished_1;
    wire [31:0] finished_results;
    wire [31:0] received = beat / `BEATS;
    wire last = beat % `BEATS == `BEATS - 1;
    wire [`INPUT_WIDTH-1:0] mask = last ? `LAST_MASK : {`INPUT_WIDTH{1'b1}};

    assign s_axis_tready = received < finished_0 + 2;   // it holds two frames
    assign tap_0_ready = cycles % 3 != 0;
    assign tap_1_ready = cycles % 5 < 2;

    mock_stream #(
        .INDEX(0), .WIDTH(`WIDTH_0), .SAMPLE_WORDS(`WORDS_0), .DEPTH(`DEPTH_0), .FILE("tap_0.hex")
    ) stream_0 (
        clk, rst, received, finished_0, tap_0_data, tap_0_valid, tap_0_ready);
    mock_stream #(
        .INDEX(1), .WIDTH(`WIDTH_1), .SAMPLE_WORDS(`WORDS_1), .DEPTH(`DEPTH_1), .FILE("tap_1.hex")
    ) stream_1 (
        clk, rst, finished_0, finished_1, tap_1_data, tap_1_valid, tap_1_ready);
    mock_stream #(
        .INDEX(2), .WIDTH(33), .SAMPLE_WORDS(`RESULTS), .DEPTH(`RESULTS_DEPTH), .FILE("results.hex")
    ) stream_results (
        clk, rst, finished_1, finished_results, {m_axis_tlast, m_axis_tdata}, m_axis_tvalid,
        m_axis_tready);

    function [31:0] ones;
        input [31:0] bits;
        integer index;
        begin
            ones = 0;
            for (index = 0; index < 32; index = index + 1) ones = ones + bits[index];
        end
    endfunction

    always @(posedge clk) if (!rst) begin
        cycles <= cycles + 1;
        if (s_axis_tvalid && s_axis_tready) begin
            beat <= beat + 1;
            if (((s_axis_tdata ^ beats[beat]) & mask) != 0 || s_axis_tlast != last)
                wrong_beats <= wrong_beats + 1;
        end
        if (tap_0_valid && tap_0_ready) spikes_0 <= spikes_0 + ones(tap_0_data);
        if (tap_1_valid && tap_1_ready) spikes_1 <= spikes_1 + ones(tap_1_data);
        if (m_axis_tvalid && m_axis_tready && m_axis_tlast) samples <= samples + 1;
        case (counter_address)
            0: counter_data <= cycles;
            1: counter_data <= samples;
            2: counter_data <= spikes_0;
            3: counter_data <= spikes_1;
            4: counter_data <= wrong_beats;
            default: counter_data <= 0;
        endcase
    end
endmodule
