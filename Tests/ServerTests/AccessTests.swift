import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdTesting
import PDCrypto
import PDLegacy
import PDSecrets
import PDTestSupport
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Who may use an endpoint")
struct AccessTests {
    private static let download = "/penguindome/v1/download_release"

    private static func hash(_ password: String, rounds: Int = 1000) throws -> PasswordHash {
        try PasswordHash(
            password: SecretBytes(copying: password.utf8), rounds: rounds, random: SecureRandom())
    }

    private static func basic(_ user: String, _ password: String) -> HTTPFields {
        [.authorization: "Basic " + Data("\(user):\(password)".utf8).base64EncodedString()]
    }

    /// Asks for a release; 404 means that the request was let pass.
    private static func status(
        _ client: some TestClientProtocol, _ headers: HTTPFields = [:]
    ) async throws -> HTTPResponse.Status {
        try await client.executeRequest(uri: download, method: .get, headers: headers, body: nil).status
    }

    @Test("without a rule everybody may download, and nobody may create a pipe")
    func defaults() async throws {
        try await TestFleet.with { fleet in
            try await fleet.application().test(.router) { client async throws in
                #expect(try await Self.status(client) == .notFound)
                let create = try await client.executeRequest(
                    uri: "/penguindome/v1/server_pipe/server/create", method: .post, headers: .form,
                    body: try fleet.signed("{}"))
                #expect(create.status == .forbidden)
            }
        }
    }

    @Test("a user with the right password passes, and nobody else; the realm is that of version 1")
    func passwords() async throws {
        var options = FleetEndpoints.Options()
        options.downloadRelease = AccessRule(passwords: [
            "fred": [try Self.hash("right")], "twice": [try Self.hash("one"), try Self.hash("two")],
        ])
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.router) { client async throws in
                let asked = try await client.executeRequest(
                    uri: Self.download, method: .get, headers: [:], body: nil)
                #expect(asked.status == .unauthorized)
                #expect(asked.headers[.wwwAuthenticate] == "Basic realm=\"Login Required\"")
                #expect(try await Self.status(client, Self.basic("fred", "right")) == .notFound)
                #expect(try await Self.status(client, Self.basic("twice", "one")) == .notFound)
                #expect(try await Self.status(client, Self.basic("twice", "two")) == .notFound)
                for (user, password) in [("fred", "wrong"), ("fred", ""), ("nobody", "right"), ("", "")] {
                    #expect(try await Self.status(client, Self.basic(user, password)) == .unauthorized)
                }
                for header in ["Basic", "Basic !!!", "Bearer x", "Basic " + "eA=="] {
                    #expect(try await Self.status(client, [.authorization: header]) == .unauthorized)
                }
            }
            #expect(!fleet.log.lines.contains { $0.contains("right") && $0.contains("fred") })
        }
    }

    @Test("recorded password hashes admit whom they should", .timeLimit(.minutes(2)))
    func recordedHashes() async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../vectors/v1/passlib/pbkdf2_sha256.json")
        let recorded = try JSONSerialization.jsonObject(with: Data(contentsOf: file)) as? [String: Any]
        let cases = try #require(recorded?["cases"] as? [[String: Any]])
            .filter { ($0["rounds"] as? Int ?? .max) <= 30_000 }
        #expect(!cases.isEmpty)
        let checker = PasswordChecker()
        for one in cases {
            let hash = try PasswordHash(modular: try #require(one["hash"] as? String))
            let text = "user:\(try #require(one["password"] as? String))"
            guard
                let credentials = Credentials(
                    header: "Basic " + Data(text.utf8).base64EncodedString())
            else { continue }
            let matches = try await checker.matches(credentials, AccessRule(passwords: ["user": [hash]]))
            #expect(matches == one["matches"] as? Bool)
        }
    }

    @Test("an unknown user costs what a wrong password costs")
    func cost() async throws {
        let rule = AccessRule(passwords: [
            "dear": [try Self.hash("x", rounds: 300_000)], "cheap": [try Self.hash("x", rounds: 1)],
        ])
        let checker = PasswordChecker()
        func time(_ user: String) async throws -> Double {
            let header = "Basic " + Data("\(user):wrong".utf8).base64EncodedString()
            let credentials = try #require(Credentials(header: header))
            var best = Double.infinity
            for _ in 0..<3 {
                let start = ContinuousClock.now
                #expect(try await !checker.matches(credentials, rule))
                best = min(best, start.duration(to: .now) / .seconds(1))
            }
            return best
        }
        let dear = try await time("dear")
        // An answer without the work would be thousands of times as fast; a busy machine is not.
        for user in ["nobody", "cheap"] {
            let other = try await time(user)
            #expect(other > dear / 20, "\(user): \(other) s, known: \(dear) s")
        }
        #expect(rule.roundsBeyond("dear") == 0 && rule.roundsBeyond("cheap") == 299_999)
        #expect(rule.roundsBeyond("nobody") == 300_000)
    }

    @Test("guessing is slowed down by address, with the time to wait, and no other address suffers")
    func throttle() async throws {
        var options = FleetEndpoints.Options()
        options.downloadRelease = AccessRule(passwords: ["fred": [try Self.hash("right")]])
        options.failures.failures = 3
        options.trustedProxies = [try #require(AddressRange("127.0.0.0/8"))]
        @Sendable func from(_ address: String, _ password: String) throws -> HTTPFields {
            var headers = Self.basic("fred", password)
            headers[try #require(HTTPField.Name("X-Forwarded-For"))] = address
            return headers
        }
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.live) { client async throws in
                for _ in 0..<3 {
                    #expect(try await Self.status(client, try from("192.0.2.1", "wrong")) == .unauthorized)
                }
                let refused = try await client.executeRequest(
                    uri: Self.download, method: .get, headers: try from("192.0.2.1", "right"), body: nil)
                #expect(refused.status == .tooManyRequests)
                let wait = try #require(refused.headers[.retryAfter].flatMap(Int.init))
                #expect((1...300).contains(wait))
                #expect(try await Self.status(client, try from("192.0.2.2", "right")) == .notFound)
            }
        }
    }

    @Test("failures are forgotten after their window, and their number is bounded")
    func forgetting() throws {
        let clock = TestClock()
        let throttle = FailureThrottle(
            limits: .init(failures: 2, window: .seconds(60), addresses: 3), clock: { clock.now })
        let address = try #require(IPAddress("2001:db8::1"))
        #expect(throttle.admit(address) == .admitted)
        #expect(throttle.admit(IPAddress("2001:db8::2")) == .admitted)
        #expect(throttle.admit(IPAddress("2001:db8::ffff")) == .full)
        throttle.end(address, failed: false)
        #expect(throttle.admit(address) == .admitted)
        #expect(throttle.admit(address) == .full)
        throttle.end(address, failed: true)
        #expect(throttle.admit(address) == .full)
        throttle.end(address, failed: true)
        #expect(throttle.admit(address) == .refused(.seconds(60)))
        clock.advance(by: .seconds(61))
        #expect(throttle.admit(address) == .admitted)
        throttle.end(address, failed: true)
        for last in 1...100 {
            let other = IPAddress("192.0.2.\(last)")
            #expect(throttle.admit(other) == .admitted)
            throttle.end(other, failed: true)
        }
        #expect(throttle.admit(IPAddress("192.0.2.1")) == .admitted)
    }

    @Test("guesses that come all at once are no more than the limit")
    func burst() async throws {
        var options = FleetEndpoints.Options()
        options.downloadRelease = AccessRule(passwords: ["fred": [try Self.hash("right", rounds: 20_000)]])
        options.failures.failures = 4
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.live) { client in
                let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                    for number in 0..<20 {
                        group.addTask { try await Self.status(client, Self.basic("fred", "guess \(number)")) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.count { $0 == .unauthorized } == 4)
                #expect(statuses.count { $0 == .tooManyRequests } == 16)
            }
        }
    }

    @Test("right passwords that come all at once all pass, though there are more than failures are allowed")
    func rightBurst() async throws {
        var options = FleetEndpoints.Options()
        options.downloadRelease = AccessRule(passwords: ["fred": [try Self.hash("right", rounds: 20_000)]])
        options.failures.failures = 2
        options.failures.patience = .seconds(60)
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.live) { client in
                let statuses = try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                    for _ in 0..<16 {
                        group.addTask { try await Self.status(client, Self.basic("fred", "right")) }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
                #expect(statuses.count == 16 && statuses.allSatisfy { $0 == .notFound }, "\(statuses)")
            }
        }
    }

    @Test("a try that waits for others in vain is told to come back soon, not that it failed")
    func impatient() async throws {
        let throttle = FailureThrottle(limits: .init(failures: 1, patience: .milliseconds(30)))
        try await throttle.begin(nil)
        await #expect(throws: Refusal.unavailable("too many tries at once from this address", retryAfter: 1))
        {
            try await throttle.begin(nil)
        }
        throttle.end(nil, failed: false)
        try await throttle.begin(nil)
    }

    @Test(
        "ranges of both families are read, and hold for addresses in either writing",
        arguments: [
            ("192.168.4.0/24", "192.168.4.255", true), ("192.168.4.0/24", "192.168.5.0", false),
            ("192.168.4.0/24", "::ffff:192.168.4.7", true), ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false), ("fe00::0", "fe00::", true), ("fe00::/16", "fe00:1::2", true),
            ("fe00::/16", "fe01::", false), ("0.0.0.0/0", "203.0.113.9", true), ("0.0.0.0/0", "::1", false),
            ("::/0", "::1", true), ("10.0.0.0/9", "10.127.0.1", true), ("10.0.0.0/9", "10.128.0.1", false),
        ])
    func ranges(range: String, address: String, isInside: Bool) throws {
        let range = try #require(AddressRange(range))
        #expect(range.contains(try #require(IPAddress(address))) == isInside)
    }

    @Test(
        "what is no address or range is refused",
        arguments: [
            "", "localhost", "10.0.0.0/33", "10.0.0.1/8", "::1/129", "10.0.0.0/", "10.0.0.0/08", "/8",
            "10.0.0", "1.2.3.4.5", "10.0.0.0/-1",
        ])
    func badRanges(text: String) {
        #expect(AddressRange(text) == nil)
    }

    @Test("a range admits without a password, and a header from a stranger does not change the address")
    func addresses() async throws {
        var options = FleetEndpoints.Options()
        options.downloadRelease = AccessRule(ranges: [try #require(AddressRange("192.0.2.0/24"))])
        let forwarded = try #require(HTTPField.Name("X-Forwarded-For"))
        try await TestFleet.with { fleet in
            @Sendable func check(
                _ options: FleetEndpoints.Options, _ expected: [(String?, HTTPResponse.Status)]
            ) async throws {
                try await fleet.application(options: options).test(.live) { client in
                    for (hops, status) in expected {
                        let headers: HTTPFields = hops.map { [forwarded: $0] } ?? [:]
                        let found = try await Self.status(client, headers)
                        #expect(found == status, "\(hops ?? "no header")")
                    }
                }
            }
            try await check(options, [(nil, .unauthorized), ("192.0.2.1", .unauthorized)])
            options.trustedProxies = [try #require(AddressRange("127.0.0.1"))]
            // Where there are two, the client wrote the first one itself, the proxy the second.
            try await check(
                options,
                [
                    ("192.0.2.1", .notFound), ("192.0.2.1, 198.51.100.1", .unauthorized),
                    ("198.51.100.1, 192.0.2.1", .notFound), ("192.0.2.1, 127.0.0.1", .notFound),
                    ("192.0.2.1, junk", .unauthorized), (nil, .unauthorized),
                ])
        }
    }

    @Test(
        "whom a trusted proxy names is read with or without a port, and whom it does not name is nobody",
        arguments: [
            ("203.0.113.5", "203.0.113.5"), ("203.0.113.5:4711", "203.0.113.5"),
            ("2001:db8::1", "2001:db8::1"), ("[2001:db8::1]", "2001:db8::1"),
            ("[2001:db8::1]:4711", "2001:db8::1"), (" 203.0.113.5\t,, ", "203.0.113.5"),
            ("198.51.100.1, 203.0.113.5:80, 127.0.0.1:90", "203.0.113.5"), ("127.0.0.1", "127.0.0.1"),
            ("unknown", nil), ("_hidden", nil), ("203.0.113.5:port", nil), ("203.0.113.5:65536", nil),
            ("203.0.113.5:", nil), ("[203.0.113.5]", nil), ("[203.0.113.5]:80", nil), ("", nil), (",", nil),
            ("[2001:db8::1", nil), ("2001:db8::1]:80", nil), ("203.0.113.5, unknown", nil),
            ("203.0.113.5, unknown, 127.0.0.1", nil),
        ] as [(String, String?)])
    func forwarded(header: String, expected: String?) throws {
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        let proxies = TrustedProxies([try #require(AddressRange("127.0.0.1"))])
        let proxy = try #require(IPAddress("127.0.0.1"))
        #expect(proxies.client(peer: proxy, headers: [name: header])?.description == expected)
        #expect(proxies.client(peer: proxy, headers: [:]) == proxy)
        let stranger = IPAddress("192.0.2.9")
        #expect(proxies.client(peer: stranger, headers: [name: header]) == stranger)
    }

    @Test(
        "whom a proxy does not name is in no range, not even in the proxy's, and guesses on its own account")
    func unknownClient() async throws {
        var options = FleetEndpoints.Options()
        options.downloadRelease = AccessRule(
            ranges: [try #require(AddressRange("127.0.0.0/8"))], passwords: ["fred": [try Self.hash("right")]]
        )
        options.trustedProxies = [try #require(AddressRange("127.0.0.0/8"))]
        options.failures.failures = 1
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.live) { client async throws in
                for hop in ["unknown", "_hidden", "203.0.113.5:4711", "[2001:db8::1]:80"] {
                    #expect(try await Self.status(client, [name: hop]) == .unauthorized, "\(hop)")
                }
                var guess = Self.basic("fred", "wrong")
                guess[name] = "unknown"
                #expect(try await Self.status(client, guess) == .unauthorized)
                #expect(try await Self.status(client, guess) == .tooManyRequests)
                guess[name] = "203.0.113.5:4711"
                #expect(try await Self.status(client, guess) == .unauthorized)
                #expect(try await Self.status(client) == .notFound)
            }
        }
    }

    @Test("the log says what let a request pass: the user, the range, or that nothing is asked")
    func admissions() async throws {
        var options = FleetEndpoints.Options()
        options.downloadRelease = AccessRule(passwords: ["fred": [try Self.hash("right")]])
        options.pipeCreate = AccessRule(
            ranges: [try #require(AddressRange("127.0.0.0/8"))], passwords: ["anna": [try Self.hash("right")]]
        )
        let create = #"""
            {"hostname": "fred-says-so", "client_hostname": "h", "encryption_key": "a", "encryption_iv": "b"}
            """#
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.live) { client async throws in
                _ = try await client.executeRequest(
                    uri: "/penguindome/v1/submit", method: .post, headers: .form,
                    body: try fleet.signed(#"{"hostname": "h", "plugins": {}}"#))
                #expect(try await Self.status(client, Self.basic("fred", "right")) == .notFound)
                #expect(try await Self.status(client, Self.basic("anna", "right")) == .unauthorized)
                let created = try await client.executeRequest(
                    uri: "/penguindome/v1/server_pipe/server/create", method: .post, headers: .form,
                    body: try fleet.signed(create))
                #expect(created.status == .ok)
            }
            options.pipeCreate?.ranges = []
            try await fleet.application(options: options).test(.live) { client async throws in
                var headers = Self.basic("anna", "right")
                headers[.contentType] = HTTPFields.form[.contentType]
                let created = try await client.executeRequest(
                    uri: "/penguindome/v1/server_pipe/server/create", method: .post, headers: headers,
                    body: try fleet.signed(create))
                #expect(created.status == .ok)
            }
            let lines = fleet.log.lines
            func count(_ message: String, _ admission: String) -> Int {
                lines.count { $0.contains(message) && $0.contains("admitted=\(admission) ") }
            }
            #expect(count(" download_release ", "user fred") == 1)
            #expect(count(" download_release ", "user anna") == 0)
            #expect(count(" pipe created ", "range 127.0.0.0/8") == 1)
            #expect(count(" pipe created ", "user anna") == 1)
            #expect(!lines.contains { $0.contains(" by=") })
        }
    }
}
