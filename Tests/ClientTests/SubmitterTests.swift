import Foundation
import PDCrypto
import PDFiles
import PDProtocol
import Testing

@testable import PDClient

@Suite("Delivery")
struct SubmitterTests {
    /// A spool with three reports, and what became of them.
    private struct Run {
        let outcome: Submitter.Outcome
        let waiting: [String]
        let bad: [String]
        let log: [String]
    }

    private func report(_ number: Int) -> SignedReport {
        SignedReport(
            data: Array("{\"n\":\(number), \"text\":\"ä &=+%\"}".utf8), signature: Array("s\(number)".utf8))
    }

    private func body(_ number: Int) -> [UInt8] {
        V1.Envelope(data: report(number).data, signature: report(number).signature).formBody()
    }

    private func deliver(
        _ url: String, count: Int = 3, timeout: Duration = .seconds(5),
        change: (Spool, String) throws -> Void = { _, _ in }
    ) async throws -> Run {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let log = LogLines()
        let lock = try StateLock(directory.path + "/lock")
        let spool = try Spool(directory: directory.path + "/spool", lock: lock, log: log.logger())
        for number in 1...count { try spool.add(report(number)) }
        try change(spool, directory.path + "/spool")
        var patience = Submitter.Patience()
        patience.firstPause = .milliseconds(10)
        let transport = HTTPTransport(serverURL: url, caPath: nil, timeout: timeout)
        let outcome = try await Submitter(transport: transport, patience: patience, log: log.logger()).run(
            spool)
        await transport.close()
        let contents = try spool.contents()
        return Run(
            outcome: outcome, waiting: contents.waiting.map(\.name), bad: contents.bad.map(\.name),
            log: log.lines)
    }

    private func name(_ number: Int, _ suffix: String = "report") -> String {
        "000000000000000\(number).\(suffix)"
    }

    @Test("brings each report once, oldest first, to the path and in the form of the protocol")
    func delivered() async throws {
        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let run = try await deliver(server.url)
        #expect(run.outcome.delivered == 3 && run.outcome.waiting == 0)
        #expect(run.outcome.refusal == nil && run.outcome.unreachable == nil)
        #expect(server.bodies == [body(1), body(2), body(3)])
        #expect(server.heads.allSatisfy { $0.hasPrefix("POST /penguindome/v1/submit HTTP/1.1\r\n") })
        #expect(
            server.heads.allSatisfy {
                $0.lowercased().contains("content-type: application/x-www-form-urlencoded")
            })
    }

    @Test("takes any 2xx answer as delivered", arguments: [200, 201, 204, 299])
    func success(status: Int) async throws {
        let server = try StubServer(.answer(status))
        defer { server.stop() }
        let run = try await deliver(server.url, count: 1)
        #expect(run.outcome.delivered == 1 && run.waiting.isEmpty)
    }

    @Test(
        "p122_a report that the server cannot read, or that is too large, is set aside, and the others are brought",
        arguments: [400, 413])
    func unacceptable(status: Int) async throws {
        let server = try StubServer(.answer(200), .answer(status), .answer(200))
        defer { server.stop() }
        let run = try await deliver(server.url)
        #expect(run.outcome.delivered == 2 && run.outcome.refusal != nil)
        #expect(run.waiting.isEmpty)
        #expect(run.bad == [name(2, "bad")])
        #expect(server.bodies.count == 3)
    }

    @Test("p122_a report that is refused stays, and the others are brought", arguments: [403, 422])
    func refused(status: Int) async throws {
        let server = try StubServer(.answer(status), .answer(200))
        defer { server.stop() }
        let run = try await deliver(server.url)
        #expect(run.outcome.delivered == 2 && run.outcome.waiting == 1)
        #expect(run.outcome.refusal?.contains("\(status)") == true)
        #expect(run.waiting == [name(1)])
        #expect(run.bad.isEmpty)
    }

    @Test("p122_reports that are too large hold up none of those behind them, however many they are")
    func tooLarge() async throws {
        let server = try StubServer(.answer(413), .answer(413), .answer(413), .answer(413), .answer(200))
        defer { server.stop() }
        let run = try await deliver(server.url, count: 5)
        #expect(run.outcome.delivered == 1 && run.waiting.isEmpty && run.bad.count == 4)
        #expect(run.outcome.refusal?.contains("413") == true)
    }

    @Test("p122_after three refusals the rest stays, untried")
    func allRefused() async throws {
        let server = try StubServer(.answer(403))
        defer { server.stop() }
        let run = try await deliver(server.url, count: 5)
        #expect(run.waiting.count == 5 && server.bodies.count == 3)
    }

    @Test(
        "p139_reports that are refused by themselves hold up none behind them, and are set aside in the end")
    func refusedForGood() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let lock = try StateLock(directory.path + "/lock")
        let log = LogLines().logger()
        let spool = try Spool(directory: directory.path + "/spool", lock: lock, log: log)
        for number in 1...7 { try spool.add(report(number)) }
        var refused: Set<Int> = []
        var delivered: [Int] = []
        for _ in 0..<4 {
            let transport = Choosy { body in (1...5).contains { body == self.body($0) } ? 403 : 200 }
            let outcome = try await Submitter(transport: transport, log: log)
                .run(spool, refusedBefore: refused)
            refused = outcome.refused
            delivered.append(outcome.delivered)
            #expect(transport.count <= 8)
        }
        #expect(delivered == [0, 2, 0, 0] || delivered.reduce(0, +) == 2)
        try spool.add(report(8))
        let last = try await Submitter(transport: Choosy { _ in 200 }, log: log).run(
            spool, refusedBefore: refused)
        #expect(last.waiting == 0)
    }

    @Test("p139_a report that is not as it was signed is set aside before it is sent")
    func notAsSigned() async throws {
        let directory = try TemporaryDirectory()
        defer { directory.remove() }
        let lock = try StateLock(directory.path + "/lock")
        let log = LogLines().logger()
        let spool = try Spool(directory: directory.path + "/spool", lock: lock, log: log)
        let signer = try OpenPGPSigner(
            OpenPGP.SecretKey.generate(userID: "client", at: .init(1_700_000_000), validity: nil).armored())
        let now: Int64 = 1_800_000_000
        for (text, signed, time) in [("{}", "{ }", now), ("{}", "{}", now + 90_000), ("{}", "{}", now)] {
            let signature = try signer.sign(Array(signed.utf8), at: time)
            try spool.add(SignedReport(data: Array(text.utf8), signature: Array(signature.utf8)))
        }
        let transport = Choosy { _ in 200 }
        let outcome = try await Submitter(transport: transport, log: log) { signer.standing(of: $0, at: now) }
            .run(spool)
        #expect(outcome.delivered == 1 && outcome.ahead == 1 && outcome.waiting == 0 && transport.count == 1)
        #expect(try spool.contents().bad.count == 2)
    }

    @Test("p139_whatever lies in the spool and is no report is set aside, and the others are brought")
    func noFiles() async throws {
        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let run = try await deliver(server.url, count: 1) { _, path in
            try FileManager.default.createSymbolicLink(
                atPath: "\(path)/0000000000000000.report", withDestinationPath: "/dev/zero")
            try FileManager.default.createDirectory(
                atPath: "\(path)/0000000000000002.report", withIntermediateDirectories: true)
            mkfifo("\(path)/0000000000000003.report", 0o600)
        }
        #expect(run.outcome.delivered == 1 && run.waiting.isEmpty && run.bad.count == 3)
    }

    @Test("p122_an answer that is not about the report stops at once", arguments: [401, 404, 405, 301])
    func refusedAll(status: Int) async throws {
        let server = try StubServer(.answer(status))
        defer { server.stop() }
        let run = try await deliver(server.url)
        #expect(run.waiting.count == 3 && server.bodies.count == 1)
        #expect(run.outcome.refusal != nil && run.outcome.unreachable == nil)
    }

    @Test("does not follow a redirection")
    func redirection() async throws {
        let other = try StubServer(.answer(200))
        let server = try StubServer(.redirect(other.url + "/"))
        defer {
            server.stop()
            other.stop()
        }
        let run = try await deliver(server.url)
        #expect(run.waiting.count == 3 && other.bodies.isEmpty)
    }

    @Test("tries again when the server says later, and then keeps what it has", arguments: [503, 500, 429])
    func later(status: Int) async throws {
        let server = try StubServer(.answer(status))
        defer { server.stop() }
        let run = try await deliver(server.url)
        #expect(run.waiting.count == 3)
        #expect(run.outcome.unreachable?.contains("\(status)") == true)
        #expect(server.bodies == Array(repeating: body(1), count: 4))
    }

    @Test("goes on when the server comes back between two attempts")
    func comesBack() async throws {
        let server = try StubServer(.answer(503), .loseAnswer, .answer(200))
        defer { server.stop() }
        let run = try await deliver(server.url)
        #expect(run.outcome.delivered == 3 && run.waiting.isEmpty)
        #expect(server.bodies == [body(1), body(1), body(1), body(2), body(3)])
    }

    @Test("sends identical bytes again when the answer was lost after the delivery")
    func lostAnswer() async throws {
        let server = try StubServer(.loseAnswer, .answer(200))
        defer { server.stop() }
        let run = try await deliver(server.url, count: 1)
        #expect(run.outcome.delivered == 1)
        #expect(server.bodies == [body(1), body(1)])
    }

    @Test("keeps everything when nobody listens")
    func refusedConnection() async throws {
        let server = try StubServer(.answer(200))
        server.stop()
        let run = try await deliver(server.url)
        #expect(run.waiting.count == 3)
        #expect(run.outcome.unreachable == "Connection refused")
    }

    @Test("does not wait for ever for a server that hangs, floods or babbles")
    func hanging() async throws {
        for (behaviour, delivered) in [
            (StubServer.Behaviour.hang, 0), (.babble, 0), (.flood(200), 1), (.flood(503), 0),
        ] {
            let server = try StubServer(behaviour)
            defer { server.stop() }
            let start = ContinuousClock.now
            let run = try await deliver(server.url, count: 1, timeout: .milliseconds(300))
            #expect(ContinuousClock.now - start < .seconds(10))
            #expect(run.outcome.delivered == delivered && run.waiting.count == 1 - delivered, "\(behaviour)")
        }
    }

    @Test("sets a damaged file aside, and brings the others")
    func damaged() async throws {
        let server = try StubServer(.answer(200))
        defer { server.stop() }
        let run = try await deliver(server.url) { _, path in
            try Data("penguindome-report 1 5".utf8).write(to: URL(fileURLWithPath: "\(path)/\(name(2))"))
        }
        #expect(run.outcome.delivered == 2 && run.bad == [name(2, "bad")] && run.waiting.isEmpty)
    }

    @Test("logs nothing of a report's content")
    func log() async throws {
        let server = try StubServer(.answer(200), .answer(400), .answer(403))
        defer { server.stop() }
        let run = try await deliver(server.url)
        #expect(!run.log.isEmpty)
        #expect(run.log.allSatisfy { !$0.contains("text") && !$0.contains("ä") && !$0.contains("s1") })
    }
}

/// A server that answers as it likes, without a network.
private final class Choosy: ReportTransport, @unchecked Sendable {
    private let answer: @Sendable ([UInt8]) -> Int
    private(set) var count = 0

    init(_ answer: @escaping @Sendable ([UInt8]) -> Int) {
        self.answer = answer
    }

    func post(_ body: [UInt8]) async throws(TransportError) -> Int {
        count += 1
        return answer(body)
    }

    func close() async {}
}
