import Foundation
import Testing

@testable import PDServer

@Suite("Requests that break HTTP")
struct BrokenHTTPTests {
    private static let path = "/penguindome/v1/submit"

    /// What is sent, byte for byte. No two readers may see two different requests in any of them.
    private static let requests: [(name: String, text: String)] = [
        ("noise", "\u{01}\u{02}\u{03}\u{04}\r\n\r\n"),
        ("no version", "POST \(path)\r\n\r\n"),
        ("bad version", "POST \(path) HTTP/9.9\r\nHost: h\r\n\r\n"),
        ("space in the path", "POST \(path) x HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("NUL in a header", "POST \(path) HTTP/1.1\r\nHost: h\u{0}x\r\nContent-Length: 0\r\n\r\n"),
        ("space before the colon", "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length : 4\r\n\r\ndata"),
        (
            "two lengths",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\ndata"
        ),
        ("negative length", "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: -4\r\n\r\ndata"),
        ("length in hexadecimal", "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 0x4\r\n\r\ndata"),
        (
            "length and chunks",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        (
            "a chunk of no length",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\ndata\r\n0\r\n\r\n"
        ),
        ("header too long", "POST \(path) HTTP/1.1\r\nX: \(String(repeating: "a", count: 40_000))\r\n\r\n"),
        (
            "too many headers",
            "POST \(path) HTTP/1.1\r\n" + (0..<200).map { "X-\($0): y\r\n" }.joined() + "\r\n"
        ),
    ]

    @Test("none reaches a handler, and whoever speaks HTTP is served afterwards")
    func broken() async throws {
        try await TestFleet.with { fleet in
            try await fleet.serving(Listener(host: "127.0.0.1", port: 0)) { port in
                for (name, text) in Self.requests {
                    let file = fleet.directory.appending(path: "request")
                    try Data(text.utf8).write(to: file)
                    let answer = try await Program.run(
                        "/bin/bash",
                        [
                            "-c", "exec 3<>/dev/tcp/127.0.0.1/$0; cat \"$1\" >&3; timeout 3 head -c 12 <&3",
                            "\(port)", file.path,
                        ]
                    ).output
                    #expect(answer.isEmpty || answer == "HTTP/1.1 400", "\(name): \(answer)")
                    let reached = fleet.log.lines.filter { $0.contains("outcome=") }
                    // A body that breaks off in its middle is told as one that did not arrive.
                    #expect(reached.allSatisfy { $0.contains("status=400") }, "\(name): \(reached)")
                }
                let good = try await Program.run(
                    "/usr/bin/curl", ["-sS", "http://127.0.0.1:\(port)/healthz"])
                #expect(good.output == "ok")
            }
            #expect(try await fleet.store.hosts().isEmpty)
        }
    }
}
