// Compares each word of a stream with the next word of a file, and keeps the first difference.
//
// FILE holds words of ceil(WIDTH / 8) bytes, most significant byte first. It is read while the
// words arrive, so that a compiled simulator handles any number of samples.
module hwgen_stream_checker #(
    parameter WIDTH = 8,
    parameter FILE = ""
) (
    input wire clk,
    input wire rst,
    input wire [WIDTH-1:0] data,
    input wire valid,
    input wire ready,
    output wire moved
);
    localparam BYTES = (WIDTH + 7) / 8;

    integer file;
    integer got;
    reg [8*BYTES-1:0] next;      // next expected word
    reg have_next;               // 0 after the end of the file
    reg [63:0] words;            // words transferred
    reg [63:0] stalled;          // cycles in which a word was valid and not taken
    reg differs;                 // first wrong word: its number, data and expected data
    reg [63:0] wrong_word;
    reg [WIDTH-1:0] wrong_data;
    reg [WIDTH-1:0] wrong_expected;
    reg extra;                   // first word after the end of the file
    reg [63:0] extra_word;
    reg [WIDTH-1:0] extra_data;
    reg waited;                  // in the previous cycle, `held` was valid and not taken
    reg [WIDTH-1:0] held;
    reg unstable;                // word `unstable_word` changed or was withdrawn while it waited
    reg [63:0] unstable_word;

    assign moved = valid & ready;

    initial begin
        file = $fopen(FILE, "rb");
        next = 0;
        got = $fread(next, file);
        have_next = got == BYTES;
        words = 0;
        stalled = 0;
        differs = 0;
        extra = 0;
        waited = 0;
        unstable = 0;
    end

    always @(posedge clk) if (!rst) begin
        if (valid & ready) begin
            words <= words + 1;
            if (have_next) begin
                if (data !== next[WIDTH-1:0] && !differs) begin
                    differs <= 1;
                    wrong_word <= words;
                    wrong_data <= data;
                    wrong_expected <= next[WIDTH-1:0];
                end
                got = $fread(next, file);
                have_next = got == BYTES;
            end else if (!extra) begin
                extra <= 1;
                extra_word <= words;
                extra_data <= data;
            end
        end
        if (waited && !unstable && (!valid || data !== held)) begin
            unstable <= 1;
            unstable_word <= words;
        end
        waited <= valid & !ready;
        if (valid & !ready) begin
            held <= data;
            stalled <= stalled + 1;
        end
    end
endmodule
