import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PDCrypto
import PDLegacy
import PDProtocol
import PDSecrets
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Pipes of version 1")
struct PipeTests {
    /// One end as a peer has it.
    private final class Peer {
        var encryptor: PipeCipherV1.Encryptor
        var decryptor: PipeCipherV1.Decryptor
        let key: V1.PipeKey

        init(_ name: String) throws {
            let json =
                #"{"hostname": "h", "client_hostname": "h", "encryption_key": "\#(name)-key", "encryption_iv": "\#(name)-iv"}"#
            key = try V1.PipeCreation(json: Array(json.utf8)).key
            let secret = SecretBytes(copying: key.key.utf8)
            let iv = SecretBytes(copying: key.iv.utf8)
            encryptor = try .init(key: secret, iv: iv)
            decryptor = try .init(key: secret, iv: iv)
        }

        func encrypt(_ text: String) throws -> [UInt8] {
            try encryptor.encrypt(Array(text.utf8), random: SecureRandom(.nonce))
        }

        func decrypt(_ answer: V1.PipeAnswer) throws -> String? {
            guard case .data(let message) = answer else { return nil }
            return String(decoding: try decryptor.decrypt(message), as: UTF8.self)
        }
    }

    private let host: Hostname
    private let stranger: Hostname

    init() throws {
        host = try #require(Hostname("h"))
        stranger = try #require(Hostname("stranger"))
    }

    private func limits(_ change: (inout PipeRelay.Limits) -> Void = { _ in }) -> PipeRelay.Limits {
        var limits = PipeRelay.Limits()
        limits.hold = .milliseconds(200)
        change(&limits)
        return limits
    }

    @Test("messages go both ways in order, each end with its own key and a chain that goes on")
    func exchange() async throws {
        let relay = PipeRelay(limits: limits())
        let (server, client) = (try Peer("server"), try Peer("client"))
        let pipe = try await relay.create(for: host, key: server.key)
        #expect(pipe.utf8.count == 32)
        #expect(try await relay.send(server.encrypt("early"), on: pipe, from: .server) == .ok)
        try await relay.open(pipe, by: host, key: client.key)
        for number in 0..<20 {
            #expect(try await relay.send(server.encrypt("in \(number)"), on: pipe, from: .server) == .ok)
            #expect(try await relay.send(client.encrypt("out \(number)"), on: pipe, from: .client) == .ok)
        }
        #expect(try await client.decrypt(relay.receive(on: pipe, at: .client)) == "early")
        for number in 0..<20 {
            #expect(try await client.decrypt(relay.receive(on: pipe, at: .client)) == "in \(number)")
            #expect(try await server.decrypt(relay.receive(on: pipe, at: .server)) == "out \(number)")
        }
        #expect(try await relay.receive(on: pipe, at: .server) == .ok)
    }

    @Test("what was sent before an end closed is still delivered; then it is the end, and the pipe is gone")
    func closing() async throws {
        let relay = PipeRelay(limits: limits())
        let (server, client) = (try Peer("server"), try Peer("client"))
        let pipe = try await relay.create(for: host, key: server.key)
        try await relay.open(pipe, by: host, key: client.key)
        #expect(try await relay.send(client.encrypt("last words"), on: pipe, from: .client) == .ok)
        #expect(try await relay.close(pipe, from: .client) == .ok)
        #expect(try await server.decrypt(relay.receive(on: pipe, at: .server)) == "last words")
        #expect(try await relay.receive(on: pipe, at: .server) == .endOfFile)
        #expect(try await relay.send(server.encrypt("anybody?"), on: pipe, from: .server) == .endOfFile)
        #expect(try await relay.close(pipe, from: .server) == .ok)
        #expect(await relay.count == 0)
        await #expect(throws: Refusal.notFound("no such pipe")) {
            try await relay.receive(on: pipe, at: .server)
        }
    }

    @Test("a receive waits for a message and gets it at once when it comes")
    func longPoll() async throws {
        let relay = PipeRelay(limits: limits { $0.hold = .seconds(20) })
        let (server, client) = (try Peer("server"), try Peer("client"))
        let pipe = try await relay.create(for: host, key: server.key)
        try await relay.open(pipe, by: host, key: client.key)
        let waiting = Task { try await relay.receive(on: pipe, at: .client) }
        try await Task.sleep(for: .milliseconds(100))
        let start = ContinuousClock.now
        #expect(try await relay.send(server.encrypt("x"), on: pipe, from: .server) == .ok)
        #expect(try await client.decrypt(waiting.value) == "x")
        #expect(start.duration(to: .now) < .seconds(5))
        let interrupted = Task { try await relay.receive(on: pipe, at: .client) }
        try await Task.sleep(for: .milliseconds(100))
        // A second request takes the place of the first, which is answered, and both end when the server stops.
        let second = Task { try await relay.receive(on: pipe, at: .client) }
        #expect(try await interrupted.value == .ok)
        await relay.stop()
        #expect(try await second.value == .ok)
    }

    @Test("a sender waits for room, and is told where the other end does not keep up")
    func backPressure() async throws {
        let relay = PipeRelay(limits: limits { $0.waitingMessages = 2 })
        let (server, client) = (try Peer("server"), try Peer("client"))
        let pipe = try await relay.create(for: host, key: server.key)
        try await relay.open(pipe, by: host, key: client.key)
        for _ in 0..<2 { #expect(try await relay.send(client.encrypt("x"), on: pipe, from: .client) == .ok) }
        let third = try client.encrypt("third")
        await #expect(throws: Refusal.self) { try await relay.send(third, on: pipe, from: .client) }
        // What was refused was not decrypted either: the chain has not moved, and the same bytes can come again.
        let again = Task { try await relay.send(third, on: pipe, from: .client) }
        for _ in 0..<2 { #expect(try await server.decrypt(relay.receive(on: pipe, at: .server)) == "x") }
        #expect(try await again.value == .ok)
        #expect(try await server.decrypt(relay.receive(on: pipe, at: .server)) == "third")
    }

    @Test("there are only so many pipes, and one that nobody uses is gone after a while")
    func bounds() async throws {
        let relay = PipeRelay(
            limits: limits {
                $0.pipes = 2; $0.idle = .milliseconds(100)
            })
        let server = try Peer("server")
        let first = try await relay.create(for: host, key: server.key)
        _ = try await relay.create(for: host, key: server.key)
        await #expect(throws: Refusal.self) { try await relay.create(for: host, key: server.key) }
        try await Task.sleep(for: .milliseconds(200))
        _ = try await relay.create(for: host, key: server.key)
        #expect(await relay.count == 1)
        await #expect(throws: Refusal.notFound("no such pipe")) {
            try await relay.open(first, by: host, key: server.key)
        }
        await #expect(throws: Refusal.self) {
            let large = [UInt8](repeating: 0, count: V1.maximumPipeMessageBytes + 16)
            _ = try await relay.send(large, on: first, from: .server)
        }
    }

    @Test("p117_another client cannot open a pipe, and none can be opened twice, or used unopened")
    func p117_stranger() async throws {
        let relay = PipeRelay(limits: limits())
        let (server, client) = (try Peer("server"), try Peer("client"))
        let pipe = try await relay.create(for: host, key: server.key)
        await #expect(throws: Refusal.forbidden(reason: "the pipe is for another host")) {
            try await relay.open(pipe, by: stranger, key: server.key)
        }
        await #expect(throws: Refusal.self) { try await relay.receive(on: pipe, at: .client) }
        let message = try Peer("client").encrypt("x")
        await #expect(throws: Refusal.self) { try await relay.send(message, on: pipe, from: .client) }
        try await relay.open(pipe, by: host, key: client.key)
        await #expect(throws: Refusal.self) { try await relay.open(pipe, by: host, key: server.key) }
        for id in [String(repeating: "0", count: 32), String(repeating: "f", count: 32)] {
            await #expect(throws: Refusal.notFound("no such pipe")) {
                try await relay.close(id, from: .server)
            }
        }
        // The second opening has not replaced the first one's key.
        #expect(try await relay.send(client.encrypt("mine"), on: pipe, from: .client) == .ok)
        #expect(try await server.decrypt(relay.receive(on: pipe, at: .server)) != nil)
    }

    @Test(
        "p116_the two directions of an end have chains of their own, and neither end's key opens the other's")
    func p116_keys() async throws {
        let relay = PipeRelay(limits: limits())
        let (server, client) = (try Peer("server"), try Peer("client"))
        let pipe = try await relay.create(for: host, key: server.key)
        try await relay.open(pipe, by: host, key: client.key)
        #expect(try await relay.send(server.encrypt("secret"), on: pipe, from: .server) == .ok)
        guard case .data(let message) = try await relay.receive(on: pipe, at: .client) else {
            Issue.record("nothing came")
            return
        }
        #expect(throws: PipeCipherV1.Error.self) { try server.decryptor.decrypt(message) }
        #expect(try client.decryptor.decrypt(message) == Array("secret".utf8)[...])
        // A message that is turned back to its sender's side under the other key is not taken.
        await #expect(throws: Refusal.self) { try await relay.send(message, on: pipe, from: .server) }
    }

    @Test(
        "p118_a changed, repeated, dropped or reordered message ends its direction, and the other goes on",
        arguments: ["flip", "repeat", "drop", "swap", "cut", "empty"])
    func p118_tampering(how: String) async throws {
        let relay = PipeRelay(limits: limits())
        let (server, client) = (try Peer("server"), try Peer("client"))
        let pipe = try await relay.create(for: host, key: server.key)
        try await relay.open(pipe, by: host, key: client.key)
        let messages = try (0..<3).map { try client.encrypt("message \($0) of several blocks of 16 bytes") }
        var sent = messages
        switch how {
        case "flip": sent[1][0] ^= 1
        case "repeat": sent[1] = messages[0]
        case "drop": sent.remove(at: 0)
        case "swap": sent.swapAt(0, 1)
        case "cut": sent[1].removeLast()
        default: sent[1] = []
        }
        var refused = false
        for message in sent {
            do {
                _ = try await relay.send(message, on: pipe, from: .client)
                #expect(!refused, "a message was taken after one that was refused")
            } catch {
                refused = true
            }
        }
        #expect(refused)
        #expect(try await relay.send(server.encrypt("still here"), on: pipe, from: .server) == .ok)
        #expect(try await client.decrypt(relay.receive(on: pipe, at: .client)) == "still here")
    }

    @Test("p129_text that is not ASCII arrives whole: lengths count bytes")
    func p129_bytes() async throws {
        let relay = PipeRelay(limits: limits())
        let (server, client) = (try Peer("server"), try Peer("client"))
        let pipe = try await relay.create(for: host, key: server.key)
        try await relay.open(pipe, by: host, key: client.key)
        for text in ["grüße, 世界 🐧", "\u{0}\u{FFFD}", String(repeating: "ä", count: 1000)] {
            #expect(try await relay.send(server.encrypt(text), on: pipe, from: .server) == .ok)
            #expect(try await client.decrypt(relay.receive(on: pipe, at: .client)) == text)
        }
    }

    @Test("neither keys nor identifiers of pipes reach the log")
    func log() async throws {
        var options = FleetEndpoints.Options()
        options.pipes.hold = .zero
        options.pipeCreate = AccessRule(ranges: [try #require(AddressRange("127.0.0.1"))])
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.live) { client in
                func post(_ path: String, _ data: String) async throws -> String {
                    let response = try await client.executeRequest(
                        uri: "/penguindome/v1/\(path)", method: .post, headers: .form,
                        body: try fleet.signed(data))
                    #expect(response.status == .ok, "\(path)")
                    return String(buffer: response.body)
                }
                _ = try await post("submit", #"{"hostname": "h", "plugins": {}}"#)
                let keys = #""encryption_key": "sesame", "encryption_iv": "simsim", "hostname": "h""#
                let created = try await post(
                    "server_pipe/server/create", #"{"client_hostname": "h", \#(keys)}"#)
                let pipe = String(created.dropFirst(13).dropLast(2))
                _ = try await post("server_pipe/client/open", #"{"pipe_id": "\#(pipe)", \#(keys)}"#)
                _ = try await post("server_pipe/client/receive", #"{"pipe_id": "\#(pipe)"}"#)
                _ = try await post("server_pipe/server/close", #"{"pipe_id": "\#(pipe)"}"#)
                #expect(fleet.log.lines.contains { $0.contains("pipe created") })
                for secret in ["sesame", "simsim", pipe] {
                    #expect(!fleet.log.lines.contains { $0.contains(secret) })
                }
            }
        }
    }
}
