import HTTPTypes
import Hummingbird
import HummingbirdTesting
import NIOCore
import PDTestSupport
import Synchronization
import Testing

@testable import PDFleet
@testable import PDServer

@Suite struct RefusalAllowanceTests {
    /// An allowance by clocks that go on when they are told.
    private struct Scene {
        let clock = TestClock()
        let allowance: RefusalAllowance
        private let spent: Spent

        private final class Spent: Sendable {
            let time = Mutex(Duration.zero)
        }

        init(burst: Duration, share: Double, addresses: Int = 100) {
            let spent = Spent()
            self.spent = spent
            allowance = RefusalAllowance(
                limits: .init(burst: burst, share: share, addresses: addresses),
                clock: { [clock] in clock.now }, processorTime: { spent.time.withLock { $0 } })
        }

        /// Sends something that takes so long to verify; gives after how many seconds to come back where it is not looked at.
        func send(_ address: String, cost: Duration, isGood: Bool = false) throws -> Int? {
            do {
                try allowance.verifying(for: IPAddress(address)) { () throws(Refusal) in
                    spent.time.withLock { $0 += cost }
                    if !isGood { throw Refusal.forbidden(reason: "no") }
                }
            } catch Refusal.tooMany(_, let seconds) {
                return seconds
            } catch Refusal.forbidden {}
            return nil
        }
    }

    @Test("p152 Refused signatures of one address cost no more than their share of a core")
    func p152_share() throws {
        let scene = Scene(burst: .seconds(1), share: 0.1)
        var spent = Duration.zero
        // A hundred seconds of a flood that would take four cores.
        for _ in 0..<10_000 {
            for _ in 0..<4 where try scene.send("192.0.2.1", cost: .milliseconds(10)) == nil {
                spent += .milliseconds(10)
            }
            scene.clock.advance(by: .milliseconds(10))
        }
        #expect(spent > .seconds(10) && spent < .seconds(11.5), "\(spent)")
    }

    @Test("p152 Who is refused is told when to come back, and is heard then")
    func p152_retry() throws {
        let scene = Scene(burst: .seconds(1), share: 0.1)
        #expect(try scene.send("192.0.2.1", cost: .seconds(2)) == nil)
        // A second is owed, of which a tenth comes back each second.
        #expect(try scene.send("192.0.2.1", cost: .zero) == 11)
        scene.clock.advance(by: .seconds(9))
        #expect(try scene.send("192.0.2.1", cost: .zero) == 2)
        scene.clock.advance(by: .seconds(2))
        #expect(try scene.send("192.0.2.1", cost: .zero) == nil)
        #expect(try scene.send("192.0.2.2", cost: .zero) == nil)
    }

    @Test("p152 Good signatures cost nothing, and an office with some wrong keys is not shut out")
    func p152_office() throws {
        let scene = Scene(burst: .seconds(5), share: 0.1)
        // For a day a thousand machines report every five minutes; thirty of them have a wrong key.
        for _ in 0..<288 {
            for machine in 0..<1000 {
                #expect(
                    try scene.send("192.0.2.1", cost: .milliseconds(5), isGood: machine >= 30) == nil)
            }
            scene.clock.advance(by: .seconds(300))
        }
    }

    @Test("p152 One subscriber has one bucket, and those that there is no room for share one")
    func p152_addresses() throws {
        let scene = Scene(burst: .seconds(1), share: 0.1, addresses: 3)
        #expect(try scene.send("2001:db8::1", cost: .seconds(2)) == nil)
        #expect(try scene.send("2001:db8::ffff", cost: .zero) != nil)
        #expect(try scene.send("2001:db8:0:1::1", cost: .seconds(2)) == nil)
        #expect(try scene.send("2001:db8:0:2::1", cost: .seconds(2)) == nil)
        #expect(try scene.send("2001:db8:0:3::1", cost: .seconds(2)) == nil)
        #expect(try scene.send("2001:db8:0:4::1", cost: .zero) != nil)
        // Full buckets are forgotten.
        scene.clock.advance(by: .seconds(60))
        #expect(try scene.send("2001:db8:0:5::1", cost: .seconds(2)) == nil)
        #expect(try scene.send("2001:db8:0:6::1", cost: .zero) == nil)
    }

    @Test("p152 A flood of refused signatures gets 429, and others are answered")
    func p152_flood() async throws {
        var options = FleetEndpoints.Options()
        options.refusals = .init(burst: .milliseconds(50), share: 0.000_1)
        options.trustedProxies = [try #require(AddressRange("127.0.0.1"))]
        let name = try #require(HTTPField.Name("X-Forwarded-For"))
        try await TestFleet.with { fleet in
            try await fleet.application(options: options).test(.live) { client async throws in
                func ask(_ body: ByteBuffer, from address: String) async throws -> TestResponse {
                    var headers = HTTPFields.form
                    headers[name] = address
                    return try await client.executeRequest(
                        uri: "/penguindome/v1/submit", method: .post, headers: headers, body: body)
                }
                let good = try fleet.signed(#"{"hostname": "h", "plugins": {}}"#)
                let forged = ByteBuffer(string: String(buffer: good).replacing("hostname", with: "h0stname"))
                #expect(try await ask(good, from: "192.0.2.1").status == .ok)
                var answer = try await ask(forged, from: "192.0.2.1")
                #expect(answer.status == .forbidden)
                for _ in 0..<2000 where answer.status == .forbidden {
                    answer = try await ask(forged, from: "192.0.2.1")
                }
                #expect(answer.status == .tooManyRequests)
                #expect(answer.headers[.retryAfter].flatMap { Int($0) } ?? 0 > 0)
                #expect(try await ask(good, from: "192.0.2.2").status == .ok)
            }
        }
    }
}
