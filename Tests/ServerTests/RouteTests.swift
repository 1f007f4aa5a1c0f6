import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PDProtocol
import PDTestSupport
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Routes")
struct RouteTests {
    @Test("a path has no second spelling, and a known path with another method says which it has")
    func spellings() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.live) { client in
                for path in [
                    "/penguindome/v1/submit/", "//penguindome/v1/submit", "/penguindome/v1/./submit",
                    "/penguindome/v1/%73ubmit", "/PENGUINDOME/v1/submit", "/penguindome/v2/submit",
                    "/penguindome/v1/server_pipe/other/send", "/penguindome/v1/server_pipe/server/open",
                    "/penguindome/v1/server_pipe/client/create",
                ] {
                    let response = try await client.executeRequest(
                        uri: path, method: .post, headers: .form, body: try fleet.signed("{}"))
                    #expect(response.status == .notFound, "\(path)")
                }
                for method in [HTTPRequest.Method.get, .put, .delete, .patch, .options] {
                    let response = try await client.executeRequest(
                        uri: V1.submitPath, method: method, headers: [:], body: nil)
                    #expect(response.status == .methodNotAllowed, "\(method)")
                    #expect(response.headers[.allow] == "POST")
                }
                let health = try await client.executeRequest(
                    uri: "/healthz", method: .delete, headers: [:], body: nil)
                #expect(health.headers[.allow] == "GET, HEAD")
            }
        }
    }

    @Test("a component in braces stands for one component, and a fixed path is preferred")
    func parameters() {
        let table = RouteTable([
            Route("one", .get, ["/r/{number}/tar"]) { _ in .text(.ok, "one") },
            Route("two", .get, ["/r/latest/tar"]) { _ in .text(.ok, "two") },
        ])
        func match(_ path: String) -> (String, [String: String])? {
            guard case .route(let route, let parameters) = table.match(.get, path) else { return nil }
            return (route.name, parameters)
        }
        #expect(match("/r/5/tar")?.0 == "one")
        #expect(match("/r/5/tar")?.1 == ["number": "5"])
        #expect(match("/r/latest/tar")?.0 == "two")
        for path in ["/r//tar", "/r/5/6/tar", "/r/5", "/r/5/tar/"] { #expect(match(path) == nil, "\(path)") }
        if case .otherMethods(let methods) = table.match(.post, "/r/5/tar") {
            #expect(methods == [.get])
        } else {
            Issue.record("a known path has other methods")
        }
    }

    @Test("a small request may not carry a large body")
    func bodyLimit() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.live) { client in
                let response = try await client.executeRequest(
                    uri: "/penguindome/v1/update", method: .post, headers: .form,
                    body: ByteBuffer(repeating: 0x61, count: V1.maximumRequestBytes + 1))
                #expect(response.status == .contentTooLarge)
            }
        }
    }

    @Test("a host that asks too often gets 429 with the time to wait, and another one is served")
    func allowance() async throws {
        var options = FleetEndpoints.Options()
        options.allowance = .init(burst: 3, perSecond: 0.01)
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.router) { client in
                func ask(_ host: String) async throws -> TestResponse {
                    try await client.executeRequest(
                        uri: "/penguindome/v1/update", method: .post, headers: .form,
                        body: try fleet.signed(#"{"hostname": "\#(host)", "old_release": 0}"#))
                }
                for _ in 0..<3 { #expect(try await ask("wild").status == .ok) }
                let refused = try await ask("wild")
                #expect(refused.status == .tooManyRequests && refused.headers[.retryAfter] == "100")
                #expect(try await ask("calm").status == .ok)
            }
        }
    }

    @Test("an allowance fills again with time")
    func refill() throws {
        let clock = TestClock()
        let allowance = HostAllowance(limits: .init(burst: 2, perSecond: 1), clock: { clock.now })
        let host = try #require(Hostname("h"))
        try allowance.take(host, nil)
        try allowance.take(host, nil)
        #expect(throws: Refusal.self) { try allowance.take(host, nil) }
        clock.advance(by: .seconds(1))
        #expect(throws: Never.self) { try allowance.take(host, nil) }
        #expect(throws: Refusal.self) { try allowance.take(host, nil) }
    }

    @Test("a report that is played back does not use up what its host may ask, wherever it is played from")
    func playedBack() async throws {
        var options = FleetEndpoints.Options()
        options.allowance = .init(burst: 3, perSecond: 0.01)
        options.trustedProxies = [try #require(AddressRange("127.0.0.1"))]
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.live) { client async throws in
                func ask(_ path: String, _ body: ByteBuffer, from address: String) async throws -> Int {
                    var headers = HTTPFields.form
                    headers[name] = address
                    return try await client.executeRequest(
                        uri: "/penguindome/v1/\(path)", method: .post, headers: headers, body: body
                    ).status.code
                }
                func report(_ second: Int) throws -> ByteBuffer {
                    try fleet.signed(
                        #"{"hostname": "h", "collected_at": "2026-01-01T00:00:0\#(second)Z", "plugins": {}}"#)
                }
                let captured = try report(1)
                #expect(try await ask("submit", captured, from: "192.0.2.1") == 200)
                #expect(try await ask("submit", report(2), from: "192.0.2.1") == 200)
                for _ in 0..<10 {
                    #expect(try await ask("submit", captured, from: "192.0.2.1") == 200)
                    #expect(try await ask("submit", report(2), from: "192.0.2.1") == 200)
                }
                #expect(try await ask("submit", report(3), from: "192.0.2.1") == 200)
                let update = try fleet.signed(#"{"hostname": "other", "old_release": 0}"#)
                for expected in [200, 200, 200, 429] {
                    #expect(try await ask("update", update, from: "198.51.100.1") == expected)
                }
                #expect(try await ask("update", update, from: "192.0.2.1") == 200)
            }
        }
    }

    @Test("more requests at once than are allowed are answered with 503 and Retry-After")
    func overload() async throws {
        var options = FleetEndpoints.Options()
        options.requests = 0
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.router) { client in
                let response = try await client.executeRequest(
                    uri: V1.submitPath, method: .post, headers: .form, body: try fleet.signed("{}"))
                #expect(response.status == .serviceUnavailable && response.headers[.retryAfter] == "5")
            }
        }
    }

    @Test("the gate counts those inside")
    func gate() {
        let gate = AdmissionGate(limit: 1)
        withExtendedLifetime(gate.place()) { place in
            #expect(place != nil && gate.place() == nil)
        }
        #expect(gate.enter())
        #expect(!gate.enter())
        gate.leave()
        #expect(gate.enter())
    }
}
