import NIOCore
import NIOEmbedded
import NIOHTTP1
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Where requests begin and end")
struct RequestFramingTests {
    /// Requests that keep the rules, each in a way of its own.
    private static let requests = [
        "GET /a HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /b HTTP/1.0\r\n\r\n",
        "\r\nGET /c HTTP/1.1\r\nHost:h\r\nX-Empty:\r\nX-Text: \u{E9}\t \r\n\r\n",
        "POST /d HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\n\r\nda\r\n",
        "POST /e HTTP/1.1\r\nHost: h\r\ncontent-LENGTH:\t0013 \t\r\n\r\nGET / HTTP/1.",
        "POST /f HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: Chunked\r\n\r\n"
            + "4;n=v\r\ndata\r\n00A\r\n0123456789\r\n0\r\nX-Trailer: t\r\nContent-Length: 9\r\n\r\n",
        "POST /g HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "DELETE /h HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nContent-Lengths: 4\r\nContent-Lengt: 4\r\n\r\n",
    ]

    private static func outcome(of bytes: [UInt8], steps: Int) -> RequestFraming.Outcome {
        var framing = RequestFraming()
        var accepted = 0
        for start in stride(from: 0, to: bytes.count, by: steps) {
            let piece = bytes[start..<min(start + steps, bytes.count)]
            let outcome = piece.withUnsafeBytes { framing.take($0) }
            accepted += outcome.accepted
            if outcome.isBroken || outcome.accepted < piece.count {
                return .init(accepted: accepted, isBroken: outcome.isBroken)
            }
        }
        return .init(accepted: accepted, isBroken: false)
    }

    @Test("requests that keep the rules pass, alone and behind each other, in pieces of any length")
    func kept() {
        let all = Array(Self.requests.joined().utf8)
        for steps in [1, 2, 3, 7, 64, all.count] {
            #expect(Self.outcome(of: all, steps: steps) == .init(accepted: all.count, isBroken: false))
        }
    }

    @Test(
        "the first byte that breaks a rule is the first that does not pass",
        arguments: [
            ("CONNECT", " /healthz HTTP/1.1\r\n"), ("GET ", " / HTTP/1.1\r\n"), ("GET /", "\tHTTP/1.1\r\n"),
            ("GET / ", " HTTP/1.1\r\n"),
            ("", " GET / HTTP/1.1\r\n"), ("\r\n", "\r\nGET / HTTP/1.1\r\n"), ("", "\nGET / HTTP/1.1\r\n"),
            ("GET / ", "RTSP/1.0\r\n"), ("GET / HTTP", " /1.1\r\n"), ("GET / HTTP/1.", "2\r\n"),
            ("GET / HTTP/", "2.0\r\n"), ("GET / HTTP/1.1", " \r\n"), ("GET / HTTP/1.1", "\n"),
            ("GET / HTTP/1.1\r", "\r\n"), ("GET /", "\u{7F} HTTP/1.1\r\n"), ("GET /", "é HTTP/1.1\r\n"),
            ("GET", "\r\n"), ("GET / HTTP/1.1\r\n", " X: folded\r\n"), ("GET / HTTP/1.1\r\nX", " : y\r\n"),
            ("GET / HTTP/1.1\r\nX: a", "\u{0}b\r\n"), ("GET / HTTP/1.1\r\nX: a\r", "b\r\n"),
            ("GET / HTTP/1.1\r\nX: a", "\nY: b\r\n"), ("GET / HTTP/1.1\r\nX: a\r\n\r", "X"),
            ("GET / HTTP/1.1\r\nContent-Length: 4x", "\r\n"), ("GET / HTTP/1.1\r\nContent-Length: ", "\r\n"),
            ("GET / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 1", "\r\n"),
            ("GET / HTTP/1.1\r\nContent-Length: 1234567890123456789", "\r\n"),
            ("GET / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked", "\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 1", "\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked", "\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "\r\n"),
            ("GET / HTTP/1.0\r\nTransfer-Encoding: chunked", "\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", "\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n00000000", "0\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1", " \r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1", "\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a", "\na\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=", "\r\na\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", "\r\na\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;", "=b\r\na\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b", "=c\r\na\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b ", "c\r\na\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"b", "\r\na\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1;a=\"b\"", "c\r\na\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na", "a\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r", "1\r\n"),
            ("GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", " X: y\r\n"),
        ])
    func broken(before: String, after: String) {
        let bytes = Array((before + after).utf8)
        for steps in [1, 5, bytes.count] {
            #expect(
                Self.outcome(of: bytes, steps: steps)
                    == .init(accepted: before.utf8.count, isBroken: true))
        }
    }

    @Test("heads, trailers and lines before chunks are bounded, blanks included")
    func bounded() {
        let limit = RequestFraming.maximumHeadBytes
        let chunked = "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        for (start, byte, most) in [
            ("G", "G", limit), ("GET /", "a", limit), ("GET / HTTP/1.1\r\nX", "X", limit),
            ("GET / HTTP/1.1\r\nX:", " ", limit), ("GET / HTTP/1.1\r\nContent-Length:", " ", 128),
            (chunked + "0;", "x", chunked.utf8.count + RequestFraming.maximumChunkLineBytes),
            (chunked + "0\r\nX:", " ", chunked.utf8.count + 3 + limit),
        ] {
            let text = start + String(repeating: byte, count: 2 * limit)
            let outcome = Self.outcome(of: Array(text.utf8), steps: 1000)
            #expect(outcome.isBroken && outcome.accepted <= most, "\(start)")
        }
    }

    @Test("nothing behind a request for another protocol reaches the decoder, which would keep it all")
    func upgrade() throws {
        for body in ["\r\n", "Content-Length: 4\r\n\r\ndata"] {
            let request = "POST / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUPGRADE: x\r\n" + body
            let channel = EmbeddedChannel(handler: RequestFramingHandler())
            try channel.writeInbound(ByteBuffer(string: request + "and"))
            try channel.writeInbound(ByteBuffer(string: "more"))
            #expect(try channel.readInbound(as: ByteBuffer.self) == ByteBuffer(string: request))
            #expect(try channel.readInbound(as: ByteBuffer.self) == nil)
            _ = try channel.finish()
        }
    }

    @Test("what passes is read by the decoder as the same requests", arguments: 0..<8)
    func decoder(seed: UInt64) throws {
        var random = SplitMix(state: seed)
        var passed = 0
        for _ in 0..<300 {
            var bytes = (0..<Int.random(in: 1...3, using: &random)).flatMap { _ in
                Array((Self.requests.randomElement(using: &random) ?? "").utf8)
            }
            for _ in 0..<Int.random(in: 0...2, using: &random) {
                Self.change(&bytes, using: &random)
            }
            var framing = RequestFraming()
            var ends: [Int] = []
            for (index, byte) in bytes.enumerated() {
                let outcome = withUnsafeBytes(of: byte) { framing.take($0) }
                guard outcome.accepted == 1 else { break }
                if framing.isBetweenRequests { ends.append(index + 1) }
            }
            guard let end = ends.last else { continue }
            // The decoder may refuse more, as a method that it does not know; what it reads must end at the same places.
            let decoded = Self.decode(bytes[..<end])
            passed += decoded.isWhole ? 1 : 0
            let starts = [0] + ends
            for (index, end) in decoded.ends.enumerated() {
                #expect(starts[index + 1] == end, "\(String(decoding: bytes, as: UTF8.self))")
            }
            #expect(!decoded.isWhole || decoded.ends.count == ends.count)
        }
        #expect(passed > 60)
    }

    /// How NIO's decoder reads some bytes: after which of them requests ended, and whether it found no error.
    private static func decode(_ bytes: ArraySlice<UInt8>) -> (ends: [Int], isWhole: Bool) {
        let channel = EmbeddedChannel(handler: ByteToMessageHandler(HTTPRequestDecoder()))
        defer { _ = try? channel.finish() }  // It was told of all errors before.
        var ends: [Int] = []
        for (index, byte) in bytes.enumerated() {
            do {
                try channel.writeInbound(ByteBuffer(bytes: [byte]))
                while let part = try channel.readInbound(as: HTTPServerRequestPart.self) {
                    if case .end = part { ends.append(index + 1) }
                }
            } catch {
                return (ends, false)
            }
        }
        return (ends, true)
    }

    private static func change(_ bytes: inout [UInt8], using random: inout SplitMix) {
        guard let index = bytes.indices.randomElement(using: &random) else { return }
        let odd = Array(" \t\r\n:;,0149aAfF\u{0}\u{7F}/".utf8)
        switch Int.random(in: 0...3, using: &random) {
        case 0: bytes[index] = odd.randomElement(using: &random) ?? 0
        case 1: bytes.insert(odd.randomElement(using: &random) ?? 0, at: index)
        case 2: bytes.remove(at: index)
        default: bytes[index] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        }
    }
}

/// A generator with a seed (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014).
private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
