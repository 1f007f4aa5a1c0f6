import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PDCrypto
import PDProtocol
import PDStore
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Watching over a server")
struct OperationTests {
    @Test("what is asked is counted by route and status, what is submitted by how it was taken")
    func metrics() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.live) { client in
                let old = try fleet.signed(
                    #"{"hostname": "h", "collected_at": "2026-01-01T00:00:00Z", "plugins": {"p": 1}}"#)
                let new = try fleet.signed(
                    #"{"hostname": "h", "collected_at": "2026-01-02T00:00:00Z", "plugins": {"p": 2}}"#)
                for body in [old, new, new, old] {
                    _ = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form, body: body)
                }
                _ = try await client.executeRequest(
                    uri: "/chosen-by-a-peer", method: .get, headers: [:], body: nil)
                let response = try await client.executeRequest(
                    uri: "/metrics", method: .get, headers: [:], body: nil)
                let text = String(buffer: response.body)
                #expect(response.headers[.contentType]?.hasPrefix("text/plain; version=0.0.4") == true)
                for line in [
                    #"penguindome_request_duration_seconds_count{route="submit",status="200"} 4"#,
                    #"penguindome_request_duration_seconds_count{route="unknown",status="404"} 1"#,
                    #"penguindome_request_duration_seconds_bucket{route="submit",status="200",le="+Inf"} 4"#,
                    #"penguindome_submissions_total{disposition="new_host"} 1"#,
                    #"penguindome_submissions_total{disposition="stored"} 1"#,
                    #"penguindome_submissions_total{disposition="repeated"} 1"#,
                    #"penguindome_submissions_total{disposition="outdated"} 1"#,
                    "penguindome_differences_total 1",
                ] {
                    #expect(text.contains(line + "\n"), "\(line)")
                }
                #expect(text.contains("process_resident_memory_bytes "))
                #expect(text.contains("\npenguindome_hosts_silent 0\n"))
                #expect(text.contains("\npenguindome_outbox_messages 0\n"))
                #expect(!text.contains("chosen-by-a-peer"))
            }
        }
    }

    @Test("metrics are for this machine, not for whoever a proxy on it serves, unless settings say so")
    func metricsAccess() async throws {
        let forwarded = try #require(HTTPField.Name("X-Forwarded-For"))
        try await TestFleet.with { fleet in
            func status(_ options: FleetEndpoints.Options, _ headers: HTTPFields) async throws
                -> HTTPResponse.Status
            {
                try await fleet.application(options: options).test(.live) { client in
                    try await client.executeRequest(
                        uri: "/metrics", method: .get, headers: headers, body: nil
                    ).status
                }
            }
            #expect(try await status(.init(), [:]) == .ok)
            #expect(try await status(.init(), [forwarded: "192.0.2.1"]) == .forbidden)
            var options = FleetEndpoints.Options()
            options.trustedProxies = [try #require(AddressRange("127.0.0.1"))]
            #expect(try await status(options, [forwarded: "192.0.2.1"]) == .forbidden)
            options.metricsRanges = [try #require(AddressRange("192.0.2.0/24"))]
            #expect(try await status(options, [forwarded: "192.0.2.1"]) == .ok)
        }
    }

    @Test("a server that is about to stop is alive, but not ready")
    func draining() async throws {
        try await TestFleet.with { fleet in
            let endpoints = try fleet.endpoints()
            try await fleet.application(endpoints: endpoints).test(.router) { client in
                func status(_ path: String) async throws -> HTTPResponse.Status {
                    try await client.executeRequest(uri: path, method: .get, headers: [:], body: nil).status
                }
                let before = try await status("/readyz")
                await endpoints.drain()
                let after = try await status("/readyz")
                let alive = try await status("/healthz")
                #expect(before == .ok && after == .serviceUnavailable && alive == .ok)
            }
        }
    }

    @Test("a host that uses a deprecated port has an issue until it moves")
    func deprecatedPort() async throws {
        try await TestFleet.with { fleet in
            let endpoints = try fleet.endpoints()
            func report(_ host: String, deprecated: Bool) async throws {
                let listener = Listener(host: "127.0.0.1", port: 0, isDeprecated: deprecated)
                try await fleet.application(endpoints: endpoints, listener: listener).test(.router) {
                    client in
                    let response = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form,
                        body: try fleet.signed(#"{"hostname": "\#(host)", "plugins": {}}"#))
                    #expect(response.status == .ok)
                }
            }
            func open() async throws -> [String] {
                try await fleet.store.openIssues().map { "\($0.hostname) \($0.check)" }
            }
            try await report("a", deprecated: true)
            try await report("b", deprecated: true)
            try await report("c", deprecated: false)
            #expect(try await open() == ["a deprecated-port", "b deprecated-port"])
            let since = try await fleet.store.openIssues().first?.openedAt
            try await report("a", deprecated: true)
            #expect(try await fleet.store.openIssues().first?.openedAt == since)
            try await report("b", deprecated: false)
            #expect(try await open() == ["a deprecated-port"])
            // A server that was started again knows what is open.
            let later = try fleet.endpoints()
            try await fleet.application(endpoints: later).test(.router) { client in
                _ = try await client.executeRequest(
                    uri: V1.submitPath, method: .post, headers: .form,
                    body: try fleet.signed(#"{"hostname": "a", "plugins": {}}"#))
            }
            #expect(try await open().isEmpty)
        }
    }

    @Test("a host that has moved only a part of what it asks has the issue still")
    func halfMoved() async throws {
        try await TestFleet.with { fleet in
            var endpoints = try fleet.endpoints()
            func ask(_ path: String, _ data: String, deprecated: Bool) async throws {
                let listener = Listener(host: "127.0.0.1", port: 0, isDeprecated: deprecated)
                try await fleet.application(endpoints: endpoints, listener: listener).test(.router) {
                    client in
                    _ = try await client.executeRequest(
                        uri: "/penguindome/v1/\(path)", method: .post, headers: .form,
                        body: try fleet.signed(data))
                }
            }
            func report(deprecated: Bool) async throws {
                try await ask("submit", #"{"hostname": "h", "plugins": {}}"#, deprecated: deprecated)
            }
            func update(_ host: String = "h", deprecated: Bool) async throws {
                try await ask(
                    "update", #"{"hostname": "\#(host)", "old_release": 0}"#, deprecated: deprecated)
            }
            func open() async throws -> [String] {
                try await fleet.store.openIssues().map(\.hostname.name)
            }
            try await update("nobody", deprecated: true)
            try await report(deprecated: false)
            #expect(try await open().isEmpty)
            try await update(deprecated: true)
            #expect(try await open() == ["h"])
            try await report(deprecated: false)
            #expect(try await open() == ["h"])
            try await report(deprecated: true)
            try await update(deprecated: false)
            #expect(try await open() == ["h"])
            // A server that was started again does not know who asked what.
            endpoints = try fleet.endpoints()
            try await update(deprecated: false)
            #expect(try await open() == ["h"])
            try await report(deprecated: false)
            #expect(try await open().isEmpty)
            let acknowledgement = #"{"hostname": "h", "id": "000000000000000000000000"}"#
            try await ask("acknowledge_patch", acknowledgement, deprecated: true)
            #expect(try await open() == ["h"])
            try await report(deprecated: false)
            #expect(try await open().isEmpty)
        }
    }

    @Test("many changes of one report are told up to a number, and the rest is counted")
    func manyChanges() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client in
                for value in 0..<2 {
                    let fields = (0..<80).map { "\"k\($0)\": \(value)" }.joined(separator: ", ")
                    _ = try await client.executeRequest(
                        uri: V1.submitPath, method: .post, headers: .form,
                        body: try fleet.signed(#"{"hostname": "h", "plugins": {"p": {\#(fields)}}}"#))
                }
            }
            #expect(fleet.log.lines.count { $0.contains("plugins.p.k") } == Ingest.loggedChanges)
            #expect(fleet.log.lines.contains { $0.contains("more changes") && $0.contains("count=30") })
        }
    }

    @Test("p124_a key that expires within 60 days is announced, and one that has expired is named as that")
    func p124_expiry() throws {
        let day: Int64 = 86_400
        let made = OpenPGP.Timestamp(1_700_000_000)
        let certificate = try OpenPGP.SecretKey.generate(userID: "x", at: made, validity: 100 * day)
            .certificate
        func text(afterDays days: Int64) -> String? {
            KeyExpiry(certificate, at: OpenPGP.Timestamp(made.seconds + days * day))?.text
        }
        #expect(text(afterDays: 1) == nil)
        #expect(text(afterDays: 39) == nil)
        #expect(text(afterDays: 41) == "expires in 59 days")
        #expect(text(afterDays: 99) == "expires in 1 day")
        #expect(text(afterDays: 101)?.contains("expired") == true)
        let forever = try OpenPGP.SecretKey.generate(userID: "x", at: made, validity: nil).certificate
        #expect(KeyExpiry(forever, at: OpenPGP.Timestamp(made.seconds + 10_000 * day)) == nil)
    }
}
