import Foundation
import PDTestSupport
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Requests that break HTTP")
struct BrokenHTTPTests {
    private static let path = "/penguindome/v1/submit"

    /// What is sent, byte for byte. No two readers may see two different requests in any of them.
    private static let requests: [(name: String, text: String)] = [
        ("noise", "\u{01}\u{02}\u{03}\u{04}\r\n\r\n"),
        ("no version", "POST \(path)\r\n\r\n"),
        ("bad version", "POST \(path) HTTP/9.9\r\nHost: h\r\n\r\n"),
        ("two blanks before the path", "POST  \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("two blanks behind the path", "POST \(path)  HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("a tab for a blank", "POST\t\(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("a blank in front", " POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("a blank behind the version", "POST \(path) HTTP/1.1 \r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("RTSP", "POST \(path) RTSP/1.0\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("ICE", "SOURCE \(path) ICE/1.0\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("http in small letters", "POST \(path) http/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("three empty lines", "\r\n\r\n\r\nPOST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("lines without CR", "POST \(path) HTTP/1.1\nHost: h\nContent-Length: 0\n\n"),
        ("one line without CR", "POST \(path) HTTP/1.1\r\nHost: h\nContent-Length: 0\r\n\r\n"),
        ("a line that goes on", "POST \(path) HTTP/1.1\r\nHost: h\r\n x\r\nContent-Length: 0\r\n\r\n"),
        ("a field without a name", "POST \(path) HTTP/1.1\r\nHost: h\r\n: x\r\nContent-Length: 0\r\n\r\n"),
        ("a list of lengths", "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 4, 4\r\n\r\ndata"),
        ("a length with a sign", "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: +4\r\n\r\ndata"),
        (
            "a length beyond 64 bits",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 18446744073709551620\r\n\r\ndata"
        ),
        (
            "a head of blanks",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nX: \(String(repeating: " ", count: 60_000))\r\n"
                + "Content-Length: 0\r\n\r\n"
        ),
        (
            "a chunk whose line has no CR",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n4\ndata\r\n0\r\n\r\n"
        ),
        (
            "a chunk longer than it says",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\ndata\r\n0\r\n\r\n"
        ),
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
        ("no host", "POST \(path) HTTP/1.1\r\nContent-Length: 0\r\n\r\n"),
        ("two hosts", "POST \(path) HTTP/1.1\r\nHost: a\r\nHost: a\r\nContent-Length: 0\r\n\r\n"),
        ("no name in the host", "POST \(path) HTTP/1.1\r\nHost:\r\nContent-Length: 0\r\n\r\n"),
        ("a path as host", "POST \(path) HTTP/1.1\r\nHost: h/x\r\nContent-Length: 0\r\n\r\n"),
        ("a user in the host", "POST \(path) HTTP/1.1\r\nHost: u@h\r\nContent-Length: 0\r\n\r\n"),
        ("a port of letters", "POST \(path) HTTP/1.1\r\nHost: h:http\r\nContent-Length: 0\r\n\r\n"),
        ("a target without a slash", "POST penguindome HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("an asterisk", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("CONNECT to a path", "CONNECT /healthz HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("an authority", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n"),
        ("another scheme", "POST ftp://h\(path) HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("a fragment", "POST \(path)#x HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("a quote in the path", "POST \(path)\" HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        ("half an escape", "POST \(path)%4 HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
        (
            "another coding",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"
        ),
        (
            "chunked twice",
            "POST \(path) HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n"
                + "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        (
            "chunks in version 1.0",
            "POST \(path) HTTP/1.0\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        ),
        ("version 2.0", "POST \(path) HTTP/2.0\r\nHost: h\r\nContent-Length: 0\r\n\r\n"),
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
                    #expect(
                        reached.allSatisfy {
                            $0.contains("outcome=the body did not arrive whole")
                                || $0.contains("outcome=not HTTP")
                        },
                        "\(name): \(reached)")
                }
                // Each has its line in the log, and a body that breaks has one for its request as well.
                let told = fleet.log.lines.filter {
                    $0.contains("unknown") && $0.contains("outcome=not HTTP") && $0.contains("peer=127.0.0.1")
                        && $0.contains("status=400")
                }
                #expect(told.count == Self.requests.count)
                let good = try await Program.run(
                    "/usr/bin/curl", ["-sS", "http://127.0.0.1:\(port)/healthz"])
                #expect(good.output == "ok")
            }
            #expect(try await fleet.store.hosts().isEmpty)
        }
    }

    /// What a server answers to some bytes, and how long it took until it ended the answer.
    private static func exchange(
        _ text: String, port: Int, in fleet: TestFleet
    ) async throws -> (answer: String, time: Duration) {
        let file = fleet.directory.appending(path: "request")
        try Data(text.utf8).write(to: file)
        let start = ContinuousClock.now
        let answer = try await Program.run(
            "/bin/bash",
            [
                "-c", "exec 3<>/dev/tcp/127.0.0.1/$0; cat \"$1\" >&3; timeout 20 cat <&3", "\(port)",
                file.path,
            ]
        ).output
        return (answer, start.duration(to: .now))
    }

    @Test("unusual requests that keep the rules are served, and the connection ends where they say so")
    func unusual() async throws {
        try await TestFleet.with { fleet in
            try await fleet.serving(Listener(host: "127.0.0.1", port: 0)) { port in
                for head in [
                    "GET /healthz HTTP/1.0\r\n", "GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n",
                    "GET /healthz HTTP/1.1\r\nHost: [::1]:80\r\nConnection: Close\r\n",
                    "GET http://h:8080/healthz HTTP/1.1\r\nHost: h:8080\r\nConnection: close\r\n",
                    "GET /healthz?a=%20b/?&c HTTP/1.1\r\nHost: h%41.x\r\nConnection: close\r\n",
                ] {
                    let (answer, time) = try await Self.exchange(head + "\r\n", port: port, in: fleet)
                    #expect(answer.hasPrefix("HTTP/1.1 200") && answer.hasSuffix("ok"), "\(head): \(answer)")
                    #expect(answer.lowercased().contains("connection: close"), "\(head): \(answer)")
                    #expect(time < .seconds(15), "\(head)")
                }
                // The answers that are owed come before the refusal, and nothing comes after it.
                let good = "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n"
                let (answers, time) = try await Self.exchange(
                    good + good + "GET x HTTP/1.1\r\nHost: h\r\n\r\n" + good, port: port, in: fleet)
                let codes = answers.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
                #expect(codes == ["200", "200", "400"] && time < .seconds(15), "\(answers)")
            }
        }
    }

    @Test("a request for another protocol is answered as if it were none, and nothing behind it is heard")
    func upgrade() async throws {
        try await TestFleet.with { fleet in
            try await fleet.serving(Listener(host: "127.0.0.1", port: 0)) { port in
                for fields in ["Connection: upgrade\r\nUpgrade: h2c\r\n", "Upgrade: websocket\r\n"] {
                    let (answers, time) = try await Self.exchange(
                        "GET /healthz HTTP/1.1\r\nHost: h\r\n\(fields)\r\n"
                            + "GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n",
                        port: port, in: fleet)
                    let codes = answers.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
                    #expect(codes == ["200"] && time < .seconds(15), "\(answers)")
                    #expect(answers.lowercased().contains("connection: close"))
                }
            }
        }
    }

    @Test("a request whose body breaks has one answer, and the connection ends with it")
    func oneAnswer() async throws {
        try await TestFleet.with { fleet in
            try await fleet.serving(Listener(host: "127.0.0.1", port: 0)) { port in
                for (path, body, status) in [
                    ("/x", "sleep 0.4; printf 'zz\\r\\n'", "404"), (Self.path, "printf 'zz\\r\\n'", "400"),
                    (Self.path, "sleep 0.4; printf 'zz\\r\\n'", "400"),
                ] {
                    let answers = try await Program.run(
                        "/bin/bash",
                        [
                            "-c",
                            """
                            exec 3<>/dev/tcp/127.0.0.1/$0
                            { printf 'POST \(path) HTTP/1.1\\r\\nHost: h\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n'; \(body); } >&3
                            timeout 10 cat <&3; echo "ended $?"
                            """, "\(port)",
                        ]
                    ).output
                    let codes = answers.components(separatedBy: "HTTP/1.1 ").dropFirst().map { $0.prefix(3) }
                    #expect(codes == [status[...]] && answers.hasSuffix("ended 0\n"), "\(path): \(answers)")
                    if path == Self.path {
                        #expect(answers.lowercased().contains("connection: close"), "\(answers)")
                    }
                }
            }
        }
    }

    @Test("connections beyond the limit are told to come again, and those within it are served")
    func surplus() async throws {
        try await TestFleet.with { fleet in
            try await fleet.serving(Listener(host: "127.0.0.1", port: 0), connections: 3) { port in
                let held = try await Program.run(
                    "/bin/bash",
                    [
                        "-c",
                        """
                        for held in 3 4 5; do eval "exec $held<>/dev/tcp/127.0.0.1/$0"; done
                        get() { printf 'GET /healthz HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n' >&$1; timeout 3 head -c $2 <&$1; }
                        get 3 12; echo
                        exec 6<>/dev/tcp/127.0.0.1/$0
                        printf 'GET /healthz HTTP/1.1\\r\\nHost: h\\r\\n\\r\\n' >&6; timeout 8 cat <&6; echo "ended $?"
                        get 5 12; echo
                        exec 3>&- 4>&- 6>&-; sleep 0.5
                        exec 7<>/dev/tcp/127.0.0.1/$0; get 7 12
                        """, "\(port)",
                    ]
                ).output.split(whereSeparator: \.isNewline)
                #expect(
                    held.map { $0.lowercased() } == [
                        "http/1.1 200", "http/1.1 503 service unavailable", "connection: close",
                        "content-length: 0", "retry-after: 5", "ended 0", "http/1.1 200", "http/1.1 200",
                    ], "\(held)")
                #expect(
                    fleet.log.lines.contains {
                        $0.contains("status=503") && $0.contains("outcome=too many connections")
                    })
            }
        }
    }

    @Test("a peer that waits is told to go on, and one whose body is too large is refused before it sends it")
    func expectation() async throws {
        try await TestFleet.with { fleet in
            try await fleet.serving(Listener(host: "127.0.0.1", port: 0)) { port in
                let head = "POST \(Self.path) HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\n"
                let (small, _) = try await Self.exchange(
                    head + "Connection: close\r\nContent-Length: 4\r\n\r\ndata", port: port, in: fleet)
                #expect(small.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 400"), "\(small)")
                let (large, time) = try await Self.exchange(
                    head + "Content-Length: 16777217\r\n\r\n", port: port, in: fleet)
                #expect(large.hasPrefix("HTTP/1.1 413") && time < .seconds(15), "\(large)")
                #expect(large.lowercased().contains("connection: close"))
            }
        }
    }
}
