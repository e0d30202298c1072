// Sends the beats of a file without idle cycles.
//
// FILE holds one record per beat: a byte whose lowest bit is `last`, then WIDTH / 8 bytes of data,
// most significant byte first.
module hwgen_packet_feeder #(
    parameter WIDTH = 8,
    parameter FILE = ""
) (
    input wire clk,
    input wire go,
    output reg [WIDTH-1:0] data,
    output reg last,
    output reg valid,
    input wire ready
);
    integer file;
    integer got;
    reg [WIDTH+7:0] record;

    initial begin
        file = $fopen(FILE, "rb");
        data = 0;
        last = 0;
        valid = 0;
        got = 1;
    end

    always @(posedge clk) if (go && (ready || !valid) && got != 0) begin
        got = $fread(record, file);
        data <= record[WIDTH-1:0];
        last <= record[WIDTH];
        valid <= got != 0;
    end
endmodule
