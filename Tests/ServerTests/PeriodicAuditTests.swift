import Foundation
import PDBasics
import PDDocument
import PDProtocol
import PDSettings
import PDStore
import Testing

@testable import PDFleet
@testable import PDServer

@Suite("Audits that the server makes itself")
struct PeriodicAuditTests {
    private static let now: Int64 = 1_717_599_600_000

    private func audit(
        _ fleet: TestFleet, holder: String = "one", at time: Int64 = now,
        retention: ServerSettings.Retention = .init()
    ) throws -> PeriodicAudit {
        let file = fleet.directory.appending(path: "checks.yml")
        let checks = """
            checks:
              - name: marked
                title: Marked
                why: A test.
                fix: Nothing.
                query: {plugins.x: 1}
            """
        if !FileManager.default.fileExists(atPath: file.path) {
            try PrivateFiles.write(Array(checks.utf8), to: file)
        }
        var settings = try ServerSettings(yaml: "port: 8080", file: "server.yml")
        settings.retention = retention
        let opened = Fleet(
            state: ServerState(directory: fleet.directory), settings: settings, store: fleet.store)
        return PeriodicAudit(
            audit: FleetAudit(opened, holder: holder), interval: TimeSpan(milliseconds: 60_000),
            now: { time }, logger: fleet.log.logger)
    }

    private func report(_ fleet: TestFleet, x: Int, at time: Int64) async throws {
        let hostname = try #require(Hostname("a"))
        _ = try await fleet.store.record(
            V1.Submission(hostname: hostname, collectedAt: time, plugins: ["x": .int(x)], commands: nil),
            submittedAt: time)
    }

    @Test("one of several servers audits; another takes over when the first is gone")
    func oneLeads() async throws {
        try await TestFleet.with { fleet in
            try await report(fleet, x: 1, at: Self.now)
            #expect(try await audit(fleet).runOnce()?.findings.count == 1)
            #expect(try await audit(fleet, holder: "two").runOnce() == nil)
            #expect(try await audit(fleet, at: Self.now + 60_000).runOnce() != nil)
            #expect(try await audit(fleet, holder: "two", at: Self.now + 179_999).runOnce() == nil)
            #expect(try await audit(fleet, holder: "two", at: Self.now + 180_000).runOnce() != nil)
            #expect(try await audit(fleet, at: Self.now + 180_001).runOnce() == nil)
        }
    }

    @Test("what is older than is to be kept goes with the audit")
    func prunes() async throws {
        try await TestFleet.with { fleet in
            let day: Int64 = 86_400_000
            for x in 1...3 { try await report(fleet, x: x, at: Self.now + Int64(x) * day) }
            let id = try #require(try await fleet.store.host("a")).id
            #expect(try await fleet.store.auditTrail(of: id, limit: 9).count == 2)
            let retention = ServerSettings.Retention(auditTrail: TimeSpan(milliseconds: day))
            let periodic = try audit(fleet, at: Self.now + 4 * day - 1, retention: retention)
            #expect(await periodic.runOnce() != nil)
            #expect(try await fleet.store.auditTrail(of: id, limit: 9).count == 1)
        }
    }

    @Test("checks that cannot be read are logged, and the next audit reads them again")
    func badChecks() async throws {
        try await TestFleet.with { fleet in
            let periodic = try audit(fleet)
            try PrivateFiles.write(Array("checks: 1".utf8), to: periodic.audit.fleet.state.checksFile)
            #expect(await periodic.runOnce() == nil)
            #expect(fleet.log.lines.contains { $0.hasPrefix("error audit: ") })
            try FileManager.default.removeItem(at: periodic.audit.fleet.state.checksFile)
            #expect(try await audit(fleet).runOnce() != nil)
        }
    }

    @Test("the settings say whether and how often")
    func settings() throws {
        func interval(_ yaml: String) throws -> TimeSpan? {
            try ServerSettings(yaml: yaml, file: "server.yml").auditInterval
        }
        #expect(try interval("") == nil)
        #expect(try interval("audit_cron: {enabled: false, interval: 1h}") == nil)
        #expect(try interval("audit_cron: {enabled: true}") == TimeSpan("5m"))
        #expect(try interval("audit_cron: {enabled: true, interval: 1h}") == TimeSpan("1h"))
        for wrong in ["soon", "0", "999"] {
            #expect(throws: SettingsError.self) {
                try interval("audit_cron: {enabled: true, interval: '\(wrong)'}")
            }
        }
    }
}
