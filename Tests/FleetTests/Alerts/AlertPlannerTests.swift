import Foundation
import PDBasics
import PDDocument
import PDProtocol
import PDStore
import Testing

@testable import PDFleet

@Suite("What people are told, and when")
struct AlertPlannerTests {
    private static let start: Int64 = 1_780_304_400_000  // 2026-06-01T09:00:00Z, a Monday
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 24 * hour

    /// A fleet whose hosts change as a test wants, audited and told about.
    private struct World {
        let fleet: StoredFleet
        let checks: CheckSet
        let settings: AlertSettings
        let recorder = RecordedDelivery()

        init(_ hosts: [String], channels: String, extra: String = "") async throws {
            fleet = try await StoredFleet(try hosts.map { try StoredFleet.host($0, at: start) })
            checks = try CheckFile.read(
                yaml: """
                    calendars: {working: {zone: UTC, holidays: [2026-06-04]}}
                    checks:
                      - {name: bad, title: Bad, query: {x: 1}, alert_frequency: 1d, calendar: always, tell: [admins, owner]}
                      - {name: worst, title: Worst, query: {y: 1}, severity: critical, calendar: always}
                    """, file: "checks.yml")
            settings = try ServerSettings(
                yaml: "port: 1\nalerts:\n  channels:\n\(channels)\n\(extra)", file: "server.yml"
            )
            .alerts
        }

        func set(_ host: String, _ fields: Document, at now: Int64) async throws {
            try await fleet.set(try StoredFleet.host(host, fields, at: now))
        }

        /// One audit, and one round of delivery.
        func step(at now: Int64) async throws {
            let report = try await Audit.run(store: fleet.store, checks: checks, at: now)
            try await tell(report.findings, at: now)
        }

        /// What the server does each minute: no audit.
        func minute(at now: Int64) async throws {
            try await tell(try await Audit.standing(store: fleet.store, checks: checks, at: now), at: now)
        }

        private func tell(_ findings: [Finding], at now: Int64) async throws {
            let alerting = Alerting(store: fleet.store, settings: settings, checks: checks)
            try await alerting.plan(findings, at: now)
            _ = try await alerting.deliver(by: recorder, at: now, jitter: { 0 })
        }
    }

    @Test("nothing is said while all is well, one thing is said once, and again after its frequency")
    func once() async throws {
        let (start, hour, day) = (Self.start, Self.hour, Self.day)
        let world = try await World(["a", "b"], channels: "    it: {mail: [it@example.com]}")
        try await world.step(at: start)
        #expect(world.recorder.texts("it") == [])
        try await world.set("a", ["x": 1], at: start)
        for step in 0...5 { try await world.step(at: start + Int64(step) * hour) }
        #expect(world.recorder.texts("it") == ["bad: a"])
        try await world.step(at: start + day)
        #expect(world.recorder.texts("it") == ["bad: a", "bad: a again"])
        // That it is over is no reason to write to people.
        try await world.set("a", ["x": 2], at: start + day + hour)
        for step in 1...30 { try await world.step(at: start + day + Int64(step) * hour) }
        #expect(world.recorder.texts("it").count == 2)
    }

    @Test("T5.1 a check that flips is one line with a count")
    func flaps() async throws {
        let (start, day) = (Self.start, Self.day)
        let world = try await World(["a"], channels: "    it: {mail: [it@example.com]}")
        for flip in 0..<20 {
            let at = start + Int64(flip) * 180_000
            try await world.set("a", ["x": .int(flip % 2 == 0 ? 1 : 2)], at: at)
            try await world.step(at: at)
        }
        #expect(world.recorder.texts("it") == ["bad: a"])
        try await world.set("a", ["x": 1], at: start + day)
        try await world.step(at: start + day)
        #expect(world.recorder.texts("it").last == "bad: a x10 again")
    }

    @Test(
        "T5.3 what is still wrong at the end of quiet hours is told within a minute; holidays are quiet too")
    func quietHours() async throws {
        let (start, hour, day) = (Self.start, Self.hour, Self.day)
        let world = try await World(["a"], channels: "    it: {mail: [it@example.com]}")
        let evening = start + 2 * day + 12 * hour  // Wednesday 21:00
        try await world.set("a", ["x": 1], at: evening)
        try await world.step(at: evening)
        // Thursday is a holiday.
        for minute in stride(from: evening, to: start + 4 * day, by: 600_000) {
            try await world.minute(at: minute)
        }
        #expect(world.recorder.texts("it") == [])
        try await world.minute(at: start + 4 * day)
        #expect(world.recorder.texts("it") == ["bad: a"])
        // What is critical wakes people.
        try await world.set("a", ["x": 1, "y": 1], at: start + 4 * day + 14 * hour)
        try await world.step(at: start + 4 * day + 14 * hour)
        // And then they hear what was due at the next opportunity as well.
        #expect(world.recorder.texts("it").last == "worst: a; bad: a again")
    }

    @Test("T5.5 a channel that is added is told all that is open, once")
    func added() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let one = try await World(["a", "b"], channels: "    it: {mail: [it@example.com]}")
        for host in ["a", "b"] { try await one.set(host, ["x": 1], at: start) }
        try await one.step(at: start)
        let settings = try ServerSettings(
            yaml:
                "port: 1\nalerts: {channels: {it: {mail: [it@example.com]}, new: {webhook: \"https://example.com/\", secrets: [whsec_\(String(repeating: "A", count: 32))]}}}",
            file: "s"
        ).alerts
        let alerting = Alerting(store: one.fleet.store, settings: settings, checks: one.checks)
        for step in 1...3 {
            let now = start + Int64(step) * hour
            try await alerting.plan(
                try await Audit.standing(store: one.fleet.store, checks: one.checks, at: now), at: now)
            _ = try await alerting.deliver(by: one.recorder, at: now, jitter: { 0 })
        }
        #expect(one.recorder.texts("new") == ["bad: a, b"])
        #expect(one.recorder.texts("it") == ["bad: a, b"])
    }

    @Test(
        "T5.9 a week without a mail server ends in one mail that says what was missed; other channels are not delayed"
    )
    func week() async throws {
        let (start, hour, day) = (Self.start, Self.hour, Self.day)
        let hook =
            "    hook: {webhook: \"https://example.com/\", secrets: [whsec_\(String(repeating: "A", count: 32))]}"
        let world = try await World(["a", "b", "c"], channels: "    it: {mail: [it@example.com]}\n\(hook)")
        world.recorder.broken.withLock { _ = $0.insert("it") }
        try await world.set("a", ["x": 1], at: start)
        try await world.step(at: start)
        try await world.set("b", ["x": 1], at: start + day)
        try await world.step(at: start + day)
        try await world.set("a", ["x": 2], at: start + 2 * day)
        try await world.set("c", ["x": 1], at: start + 2 * day)
        for step in 0...(5 * 24) { try await world.step(at: start + 2 * day + Int64(step) * hour) }
        #expect(world.recorder.texts("it") == [])
        #expect(world.recorder.texts("hook").first == "bad: a")
        world.recorder.broken.withLock { $0 = [] }
        for step in 0...48 { try await world.step(at: start + 7 * day + Int64(step) * hour) }
        #expect(world.recorder.texts("it").first == "bad: a over, b, c")
        // And nothing of it a second time before it is due again.
        #expect(world.recorder.texts("it").count <= 3)
        let outbox = try await world.fleet.store.records(.outbox).map { try OutboxMessage($0) }
        #expect(outbox.allSatisfy { $0.state == .sent })
    }

    @Test(
        "T5.6 a receiver that was down gets all messages in their order, each with the identifier of its first attempt"
    )
    func receiverDown() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let hook =
            "    hook: {webhook: \"https://example.com/\", secrets: [whsec_\(String(repeating: "A", count: 32))]}"
        let world = try await World(["a", "b"], channels: hook)
        world.recorder.broken.withLock { _ = $0.insert("hook") }
        try await world.set("a", ["x": 1], at: start)
        try await world.step(at: start)
        let first = try await world.fleet.store.records(.outbox).map(\.id)
        try await world.set("b", ["x": 1], at: start + hour)
        try await world.step(at: start + hour)
        try await world.set("a", ["x": 2], at: start + 2 * hour)
        try await world.step(at: start + 2 * hour)
        world.recorder.broken.withLock { $0 = [] }
        for step in 1...50 { try await world.step(at: start + Int64(step) * hour) }
        #expect(world.recorder.texts("hook").prefix(3) == ["bad: a", "bad: b", "bad over: a"])
        #expect(world.recorder.got.withLock { $0.first?.message.id } == first.first)
    }

    @Test("T5.12 500 hosts that fail one check at once are one mail")
    func many() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let names = (0..<500).map { "host-\($0)" }
        let world = try await World(names, channels: "    it: {mail: [it@example.com]}")
        for name in names { try await world.set(name, ["x": 1], at: start) }
        for step in 0...3 { try await world.step(at: start + Int64(step) * hour) }
        let got = world.recorder.got.withLock { $0 }
        #expect(got.count == 1)
        let text = AlertText(
            try #require(got.first).message.message, createdAt: start, sentAt: start, toOwner: false)
        #expect(text.subject == "Bad: 500 hosts")
        #expect(text.text.contains("and 480 more: pd-admin issues list --check bad"))
    }

    @Test("an owner of several machines gets one mail about them all, and nobody else's")
    func owners() async throws {
        let start = Self.start
        let world = try await World(
            ["a", "b", "c"], channels: "    it: {mail: [it@example.com]}", extra: "  owners: true")
        try await world.fleet.store.setParameters(
            try [("a", "anna@example.com"), ("b", "anna@example.com"), ("c", "bert@example.com")].map {
                HostParameter(hostname: try #require(Hostname($0.0)), name: "user_email", values: [$0.1])
            }, at: start)
        for host in ["a", "b"] { try await world.set(host, ["x": 1, "y": 1], at: start) }
        try await world.step(at: start)
        #expect(world.recorder.texts("owner:anna@example.com") == ["bad: a, b"])
        #expect(world.recorder.texts("owner:bert@example.com") == [])
        #expect(world.recorder.texts("it") == ["worst: a, b; bad: a, b"])
    }
}
