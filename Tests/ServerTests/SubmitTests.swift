import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PDCrypto
import PDDocument
import PDProtocol
import PDStore
import PDTestSupport
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Submitting a report over HTTP")
struct SubmitTests {
    private static let good = #"{"hostname": "h", "plugins": {"p": {"v": 1}}}"#

    @Test("both spellings of the path take a report, and it is there")
    func bothSpellings() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.live) { client in
                for (index, prefix) in V1.pathPrefixes.enumerated() {
                    let body = try fleet.signed(#"{"hostname": "h\#(index)", "plugins": {"p": \#(index)}}"#)
                    let response = try await client.executeRequest(
                        uri: "\(prefix)/submit", method: .post, headers: .form, body: body)
                    #expect(response.status == .ok)
                }
            }
            let hosts = try await fleet.store.hosts()
            #expect(hosts.map(\.hostname.name) == ["h0", "h1"])
            #expect(hosts.last?.document[["plugins", "p"]] == 1)
        }
    }

    @Test(
        "a report that is not one is refused with 400, in one log line, and nothing is stored",
        arguments: [
            "{", "[]", "null", #"{"plugins": {}}"#, #"{"hostname": "", "plugins": {}}"#,
            #"{"hostname": "../../x", "plugins": {}}"#, #"{"hostname": "h"}"#,
            #"{"hostname": "\#(String(repeating: "a", count: 300))", "plugins": {}}"#,
            #"{"hostname": {"$gt": ""}, "plugins": {}}"#, #"{"hostname": "h", "plugins": {}, "plugins": {}}"#,
        ])
    func malformed(data: String) async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client in
                let response = try await client.executeRequest(
                    uri: V1.submitPath, method: .post, headers: .form, body: try fleet.signed(data))
                #expect(response.status == .badRequest)
                let after = try await client.executeRequest(
                    uri: V1.submitPath, method: .post, headers: .form, body: try fleet.signed(Self.good))
                #expect(after.status == .ok)
            }
            #expect(try await fleet.store.hosts().map(\.hostname.name) == ["h"])
            #expect(fleet.log.lines.count { $0.contains("status=400") } == 1)
        }
    }

    @Test("a form that repeats a field, or is none, is refused with 400")
    func badForms() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client in
                let good = String(buffer: try fleet.signed(Self.good))
                for (body, type) in [
                    (good + "&data=x", "application/x-www-form-urlencoded"), (good, "text/plain"),
                    ("", "application/x-www-form-urlencoded"), (Self.good, "application/json"),
                ] {
                    let response = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: [.contentType: type],
                        body: ByteBuffer(string: body))
                    #expect(response.status == .badRequest, "\(type)")
                }
            }
            #expect(try await fleet.store.hosts().isEmpty)
        }
    }

    @Test("unsigned, wrongly signed, signed by a stranger, truncated: 403, and nothing is stored")
    func p125_signatures() async throws {
        let stranger = try OpenPGP.SecretKey.generate(userID: "stranger", at: .now(), validity: nil)
        try await TestFleet.with { fleet in
            let data = Array(Self.good.utf8)
            let armor = Array(
                try OpenPGP.armored(signature: fleet.clientKey.signDetachedWithoutPurpose(data, at: .now()))
                    .utf8)
            var flipped = data
            flipped[13] ^= 1
            let cases: [(String, V1.Envelope)] = [
                ("unsigned", V1.Envelope(data: data, signature: nil)),
                ("empty", V1.Envelope(data: data, signature: [])),
                ("other data", V1.Envelope(data: flipped, signature: armor)),
                ("truncated armor", V1.Envelope(data: data, signature: Array(armor.prefix(armor.count / 2)))),
                ("garbage", V1.Envelope(data: data, signature: Array("garbage".utf8))),
                (
                    "stranger",
                    V1.Envelope(
                        data: data,
                        signature: Array(
                            try OpenPGP.armored(
                                signature: stranger.signDetachedWithoutPurpose(data, at: .now())
                            ).utf8))
                ),
            ]
            try await fleet.application().test(.router) { client in
                for (name, envelope) in cases {
                    let response = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form,
                        body: ByteBuffer(bytes: envelope.formBody()))
                    #expect(response.status == .forbidden, "\(name)")
                }
            }
            #expect(try await fleet.store.hosts().isEmpty)
            #expect(fleet.log.lines.count { $0.contains("status=403") } == cases.count)
        }
    }

    @Test(
        "what a stranger signs in the name of a host is kept for the audit, with the address that it came from"
    )
    func refusedInName() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.live) { client in
                func submit(_ body: ByteBuffer) async throws {
                    _ = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form, body: body)
                }
                let report = #"{"hostname": "h", "plugins": {"p": 1}}"#
                try await submit(try fleet.signed(report))
                let stranger = try OpenPGP.SecretKey.generate(userID: "stranger", at: .now(), validity: nil)
                for name in ["h", "unknown"] {
                    let data = Array(report.replacing(#""h""#, with: "\"\(name)\"").utf8)
                    let signature = try OpenPGP.armored(
                        signature: stranger.signDetachedWithoutPurpose(data, at: .now()))
                    try await submit(
                        ByteBuffer(
                            bytes: V1.Envelope(data: data, signature: Array(signature.utf8)).formBody()))
                }
                // The answer does not wait for the note.
                var records: [StoredRecord] = []
                let patience = ContinuousClock.now + .seconds(10)
                while records.isEmpty, ContinuousClock.now < patience {
                    records = try await fleet.store.records(.refusals)
                    await Task.yield()
                }
                #expect(records.count == 1)
                let kept = try #require(records.first?.document)
                #expect(kept["hostname"] == "h" && kept["peer"]?.string?.contains("127.0.0.1") == true)
                #expect(kept["reason"]?.string?.isEmpty == false)
            }
        }
    }

    @Test("a change with a name of any length makes a short line")
    func longName() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client in
                for value in [1, 2] {
                    let name = String(repeating: "k", count: 100_000)
                    let body = try fleet.signed(
                        #"{"hostname": "h", "plugins": {"p": {"\#(name)": \#(value)}}}"#)
                    _ = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form, body: body)
                }
            }
            let changes = fleet.log.lines.filter { $0.contains("key=") }
            #expect(changes.count == 1 && changes.allSatisfy { $0.count < 400 && $0.contains("[cut]") })
        }
    }

    @Test("a body beyond 16 MiB is refused with 413, and the server goes on")
    func tooLarge() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.live) { client in
                let body = ByteBuffer(repeating: UInt8(ascii: "a"), count: 17 << 20)
                let response = try await client.executeRequest(
                    uri: V1.submitPath, method: .post, headers: .form, body: body)
                #expect(response.status == .contentTooLarge)
                let after = try await client.executeRequest(
                    uri: V1.submitPath, method: .post, headers: .form, body: try fleet.signed(Self.good))
                #expect(after.status == .ok)
            }
        }
    }

    @Test("a store that cannot write is answered with 503 and Retry-After")
    func unavailable() async throws {
        try await TestFleet.with { fleet in
            try await fleet.store.close()
            try await fleet.application().test(.router) { client in
                let response = try await client.executeRequest(
                    uri: V1.submitPath, method: .post, headers: .form, body: try fleet.signed(Self.good))
                #expect(response.status == .serviceUnavailable)
                #expect(response.headers[.retryAfter] != nil)
                let ready = try await client.executeRequest(
                    uri: "/readyz", method: .get, headers: [:], body: nil)
                #expect(ready.status == .serviceUnavailable)
                let health = try await client.executeRequest(
                    uri: "/healthz", method: .get, headers: [:], body: nil)
                #expect(health.status == .ok)
            }
        }
    }

    @Test("p106_an old report that is sent again brings nothing back, and is told in the log")
    func p106_replay() async throws {
        try await TestFleet.with { fleet in
            let old = try fleet.signed(
                #"{"hostname": "h", "collected_at": "2026-01-01T00:00:00Z", "plugins": {"p": "old"}}"#)
            let new = try fleet.signed(
                #"{"hostname": "h", "collected_at": "2026-01-02T00:00:00Z", "plugins": {"p": "new"}}"#)
            try await fleet.application().test(.router) { client in
                for body in [old, new, old] {
                    let response = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form, body: body)
                    #expect(response.status == .ok)
                }
            }
            #expect(try await fleet.store.host("h")?.document[["plugins", "p"]] == "new")
            #expect(fleet.log.lines.count { $0.contains("outdated") && $0.hasPrefix("warning") } == 1)
        }
    }

    @Test("what changed is logged by its name, never by its value")
    func changeLog() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client in
                for place in ["Here Street", "There Street"] {
                    let body = try fleet.signed(
                        #"{"hostname": "h", "plugins": {"geo": {"place": "\#(place)"}}}"#)
                    _ = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form, body: body)
                }
            }
            #expect(fleet.log.lines.count { $0.contains("plugins.geo.place") } == 1)
            #expect(!fleet.log.lines.contains { $0.contains("Street") })
            let host = try #require(try await fleet.store.host("h"))
            let trail = try await fleet.store.auditTrail(of: host.id, limit: 10)
            #expect(trail.map(\.change.key) == ["plugins.geo.place"])
            #expect(trail.first?.change.new == "There Street")
        }
    }

    @Test("unknown paths and methods are answered as HTTP wants it")
    func routes() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client in
                let health = try await client.executeRequest(
                    uri: "/healthz", method: .get, headers: [:], body: nil)
                #expect(health.status == .ok && String(buffer: health.body) == "ok")
                for path in ["/penguindome/v1/nothing", "/nothing", "/"] {
                    for method in [HTTPRequest.Method.get, .post] {
                        let response = try await client.executeRequest(
                            uri: path, method: method, headers: [:], body: nil)
                        #expect(response.status == .notFound, "\(method) \(path)")
                    }
                }
            }
        }
    }

    @Test("a key that is added while the server runs is used within two seconds")
    func keyAdded() async throws {
        try await TestFleet.with { fleet in
            let added = try OpenPGP.SecretKey.generate(userID: "added", at: .now(), validity: nil)
            let data = Array(Self.good.utf8)
            let body = V1.Envelope(
                data: data,
                signature: Array(
                    try OpenPGP.armored(signature: added.signDetachedWithoutPurpose(data, at: .now())).utf8)
            ).formBody()
            try await fleet.application().test(.router) { client in
                func status() async throws -> HTTPResponse.Status {
                    try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form, body: ByteBuffer(bytes: body)
                    ).status
                }
                #expect(try await status() == .forbidden)
                _ = try RoleKeys.add(added.certificate, to: fleet.directory.appending(path: "keys"))
                fleet.clock.advance(by: .seconds(1))
                #expect(try await status() == .ok)
            }
        }
    }

    @Test("p123_the first two reports of a host at the same moment make one host, and both are answered")
    func p123_twoAtOnce() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.live) { client in
                for round in 0..<10 {
                    let bodies = try (0..<2).map {
                        try fleet.signed(#"{"hostname": "h\#(round)", "plugins": {"p": \#($0)}}"#)
                    }
                    let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                        for body in bodies {
                            group.addTask {
                                try await client.executeRequest(
                                    uri: V1.submitPath, method: .post, headers: .form, body: body
                                ).status
                            }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                    #expect(statuses == [.ok, .ok])
                }
            }
            #expect(try await fleet.store.hosts().count == 10)
        }
    }
}
