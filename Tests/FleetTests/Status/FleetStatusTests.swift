import Foundation
import PDDocument
import PDProtocol
import PDStore
import PDTestSupport
import Testing

@testable import PDFleet

@Suite("How a fleet stands")
struct FleetStatusTests {
    private static let start: Int64 = 1_780_308_000_000  // 2026-06-01T10:00:00Z, a Monday
    private static let hour: Int64 = 3_600_000

    private static let checks = """
        checks:
          - {name: not-reporting, title: Silent, query: {submitted_at: {$lt: {$ago: 1d}}}}
          - {name: bad, title: Bad, query: {x: 1}, severity: high}
          - {name: twin-hosts, title: Twins, built_in: true}
          - {name: failed-verification, title: Refused, built_in: true}
          - {name: agent-outdated, title: Old, built_in: true}
        """

    private func submit(
        _ fleet: StoredFleet, _ ingest: Ingest, _ name: String, _ plugins: Document, at now: Int64
    ) async throws {
        _ = try await ingest.take(
            V1.Submission(
                hostname: try #require(Hostname(name)), collectedAt: now, plugins: plugins, commands: nil),
            at: now)
    }

    @Test("one screen says who is silent, what is open, what waits, and when things were done last")
    func status() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let stored = try await StoredFleet([
            try StoredFleet.host("a", ["x": 1], at: start), try StoredFleet.host("b", at: start - 200 * hour),
            try StoredFleet.host("c", ["x": 1, "suspended": true], at: start - 200 * hour),
        ])
        let fleet = try stored.opened(
            checks: Self.checks, settings: "port: 8080\nalerts: {channels: {it: {mail: [it@example.com]}}}")
        let checks = try CheckFile.read(fleet.state.checksFile)
        let before = try await FleetStatus(fleet, checks: checks, at: start)
        #expect(before.lastAuditAt == nil && before.lastBackupAt == nil && !before.isServed)
        _ = try #require(try await FleetAudit(fleet, holder: "test").run(at: start))
        try await fleet.store.note(.backup, at: start - hour)
        try await fleet.store.apply(records: [
            .put(.presence, ServerPresence.record(server: "s", from: start - hour, to: start))
        ])
        let status = try await FleetStatus(fleet, checks: checks, at: start + 60_000)
        #expect(status.hostCount == 3 && status.suspendedCount == 1 && status.isServed)
        #expect(status.silent.map(\.hostname.name) == ["b"] && status.silent.first?.since == start)
        #expect(status.byCheck.map { "\($0.check) \($0.count)" } == ["bad 1", "not-reporting 1"])
        #expect(status.bySeverity.map { "\($0.severity) \($0.count)" } == ["high 1", "medium 1"])
        #expect(status.lastAuditAt == start && status.lastBackupAt == start - hour)
        #expect(status.outbox.map(\.channel) == ["it"] && status.outbox.first?.count == 1)
        #expect(status.json["issues"]?.document?["alerting"] == 2 && status.json["last_backup_at"] != .null)

        let gauges = try await FleetGauges(fleet.store)
        #expect(gauges.openIssues == ["bad": 1, "not-reporting": 1])
        #expect(gauges.silentHosts == 1 && gauges.waitingMessages == 1)
        // Suspending silences at once, without an audit; a report ends it.
        try await fleet.store.suspend(true, host: try #require(try await fleet.store.host("b")).id)
        #expect(try await FleetGauges(fleet.store).silentHosts == 0)
        #expect(try await FleetStatus(fleet, checks: checks, at: start).silent.isEmpty)
        let ingest = Ingest(store: fleet.store, logger: CapturedLog().logger)
        try await submit(stored, ingest, "b", ["y": ["z": 1]], at: start + hour)
        #expect(try await fleet.store.suspendedHosts().count == 1)
    }

    @Test("hosts that were suspended elsewhere are known after an audit, and forgotten when they report")
    func suspensions() async throws {
        let stored = try await StoredFleet([try StoredFleet.host("c", ["suspended": true], at: Self.start)])
        let checks = try CheckFile.read(yaml: Self.checks, file: "checks.yml")
        #expect(try await stored.store.suspendedHosts() == [])
        _ = try await Audit.run(store: stored.store, checks: checks, at: Self.start)
        #expect(try await stored.store.suspendedHosts().count == 1)
        try await stored.set(try StoredFleet.host("c", at: Self.start + 1))
        #expect(try await stored.store.suspendedHosts() == [])
        _ = try await Audit.run(store: stored.store, checks: checks, at: Self.start + 1)
        #expect(try await stored.store.records(.suspensions) == [])
    }

    @Test("two machines that report under one name are an issue until they have not taken turns for a week")
    func twins() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let stored = try await StoredFleet()
        let fleet = try stored.opened(checks: Self.checks)
        let log = CapturedLog()
        let ingest = Ingest(store: stored.store, logger: log.logger)
        func twins(at now: Int64) async throws -> [String] {
            let result = try #require(try await FleetAudit(fleet, holder: "test").run(at: now))
            return result.report.findings.filter { $0.check.name == "twin-hosts" }.map {
                "\($0.subject.name): \($0.evidence)"
            }
        }
        func report(_ name: String, _ machine: String, _ step: Int64) async throws {
            try await submit(
                stored, ingest, name, ["agent": ["machine": .string(machine)]], at: start + step * hour)
        }
        // One machine that is replaced is none of them.
        for (step, machine) in ["aaaa", "aaaa", "bbbb", "bbbb"].enumerated() {
            try await report("office", machine, Int64(step))
        }
        try await report("other", "cccc", 1)
        #expect(try await twins(at: start + 4 * hour) == [])
        try await report("office", "aaaa", 5)
        #expect(
            try await twins(at: start + 5 * hour) == [
                "office: aaaa and bbbb took turns, 2 times in a week, last on 2026-06-01 15:00 UTC"
            ])
        try await report("office", "bbbb", 6)
        #expect(try await twins(at: start + 6 * hour).first?.contains("3 times") == true)
        for day in 1...8 { try await report("office", "bbbb", Int64(day) * 24) }
        #expect(try await twins(at: start + 8 * 24 * hour) == [])
        #expect(try await stored.store.records(.machineTwins) == [])
        #expect(!log.lines.contains { $0.hasPrefix("error") })
    }

    @Test(
        "what is refused in a host's name is an issue for a day; a flood costs little, and unknown names nothing"
    )
    func refusals() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let stored = try await StoredFleet([try StoredFleet.host("a", at: start)])
        let fleet = try stored.opened(checks: Self.checks)
        let refused = RefusedRequests(store: stored.store, logger: CapturedLog().logger)
        func findings(at now: Int64) async throws -> [String] {
            let result = try #require(try await FleetAudit(fleet, holder: "test").run(at: now))
            return result.report.findings.filter { $0.check.name == "failed-verification" }.map(\.evidence)
        }
        for name in ["a", "nobody"] {
            await refused.refused(
                try #require(Hostname(name)), peer: "192.0.2.7", reason: "no such key", at: start)
        }
        #expect(try await findings(at: start) == ["from 192.0.2.7 on 2026-06-01 10:00 UTC: no such key"])
        // One an hour is kept.
        await refused.refused(
            try #require(Hostname("a")), peer: "192.0.2.8", reason: "x", at: start + hour - 1)
        #expect(try await findings(at: start + hour).first?.contains("192.0.2.7") == true)
        #expect(try await findings(at: start + 24 * hour) == [])
        var looks = 0
        for _ in 0..<1000 where await refused.mayLook(at: start) { looks += 1 }
        #expect(looks == RefusedRequests.perMinute)
        #expect(await refused.mayLook(at: start + 60_000))
    }

    @Test("an agent that does not run the newest release is found once there is one")
    func outdatedAgents() async throws {
        let start = Self.start
        let stored = try await StoredFleet(
            try [("old", 3), ("new", 4)].map {
                try StoredFleet.host($0.0, ["plugins": ["integrity": ["release": .int($0.1)]]], at: start)
            } + [StoredFleet.host("none", at: start)])
        let fleet = try stored.opened(checks: Self.checks)
        func found() async throws -> [String] {
            let result = try #require(try await FleetAudit(fleet, holder: "test").run(at: start))
            return result.report.findings.filter { $0.check.name == "agent-outdated" }.map(\.subject.name)
        }
        #expect(try await found() == [])
        try FileManager.default.createDirectory(at: fleet.state.releases, withIntermediateDirectories: true)
        let newest = fleet.state.releases.appending(path: "4.manifest.sig")
        try Data().write(to: newest)
        #expect(try await found() == ["old"])
        try FileManager.default.removeItem(at: newest)
        #expect(try await found() == [])
    }
}
