import Foundation
import PDTestSupport
import Testing

/// Requests that somebody recorded, byte by byte, and sends again to a server that runs.
@Suite struct ReplayTests {
    /// A database of each kind that a server stands on.
    enum Database: String, CaseIterable { case sqlite, mongoDB }

    private struct Recorded {
        let data: String
        let signature: String
    }

    private func start(on database: Database) async throws -> (fleet: FleetRunner, home: GPGHome)? {
        let fleet = try FleetRunner()
        try fleet.setUp()
        if database == .mongoDB {
            guard MongoTestServer.isConfigured else { return nil }
            let name = "penguindome_replay_\(UUID().uuidString.prefix(8).lowercased())"
            let settings = "\ndatabase: {host: \"\(try MongoTestServer.sharedURI())\", name: \(name)}\n"
            let file = try FileHandle(forWritingTo: URL(filePath: fleet.serverState + "/server.yml"))
            try file.seekToEnd()
            try file.write(contentsOf: Data(settings.utf8))
            try file.close()
        }
        let home = try GPGHome(algorithm: "ed25519", tools: fleet.tools)
        try fleet.tools.write("peer.asc", try home.gpg(["--armor", "--export", "peer"]).text)
        let added = try fleet.run(
            "pd-admin", "keys", "add", fleet.tools.path("peer.asc").path, "--role", "client", "--state",
            fleet.serverState)
        try #require(added.status == 0, "\(added.errors)")
        try await fleet.start()
        return (fleet, home)
    }

    private func record(_ parts: String, minute: Int, _ home: GPGHome) throws -> Recorded {
        let data = #"{"hostname": "h", "collected_at": "2026-01-01T00:\#(minute):00+00:00", \#(parts)}"#
        return Recorded(data: data, signature: try home.sign(data))
    }

    private func send(_ recorded: Recorded, _ fleet: FleetRunner) throws {
        #expect(try fleet.post(data: recorded.data, signature: recorded.signature) == "200")
    }

    private func show(_ fleet: FleetRunner) throws -> String {
        let shown = try fleet.run("pd-admin", "hosts", "show", "h", "--json", "--state", fleet.serverState)
        try #require(shown.status == 0, "\(shown.errors)")
        return shown.text
    }

    @Test(
        "p135_an old report changes nothing, and a deleted host stays deleted", arguments: Database.allCases)
    func p135_replay(database: Database) async throws {
        guard let (fleet, home) = try await start(on: database) else { return }
        func result(_ output: String, _ attempt: Int) -> String {
            #""commands": {"c": {"output": "\#(output)", "order": "o", "attempt": \#(attempt)}}"#
        }
        let recorded = try [
            record(#""plugins": {"disk": {"state": "bad"}}"#, minute: 10, home),
            record(result("old", 1), minute: 11, home),
            record(#""plugins": {"disk": {"state": "good"}}"#, minute: 12, home),
            record(result("new", 2), minute: 13, home),
        ]
        for report in recorded { try send(report, fleet) }
        let before = try show(fleet)
        #expect(before.contains("good") && before.contains("\"new\""))
        for report in recorded { try send(report, fleet) }
        // Not even the time of the last contact.
        #expect(try show(fleet) == before)

        let deleted = try fleet.run("pd-admin", "hosts", "delete", "h", "--yes", "--state", fleet.serverState)
        try #require(deleted.status == 0, "\(deleted.errors)")
        for report in recorded { try send(report, fleet) }
        #expect(try fleet.admin("hosts", "list").isEmpty)
        // Nor after the server was started again.
        try fleet.kill()
        try await fleet.start()
        for report in recorded { try send(report, fleet) }
        #expect(try fleet.admin("hosts", "list").isEmpty)
        #expect(try fleet.log().contains("outdated submission"))

        // The host itself is welcome, and brings nothing old back.
        try send(record(#""plugins": {"disk": {"state": "new"}}"#, minute: 14, home), fleet)
        let back = try show(fleet)
        #expect(back.contains("\"new\"") && !back.contains("commands"))
        for report in recorded { try send(report, fleet) }
        #expect(try show(fleet) == back)
        // The database is one of this test alone, and goes with it.
        _ = try fleet.run("pd-admin", "hosts", "delete", "h", "--yes", "--state", fleet.serverState)
    }

    @Test("p135_a report that was recorded opens and closes no issue of a deprecated port")
    func p135_deprecatedPort() async throws {
        guard let (fleet, home) = try await start(on: .sqlite) else { return }
        let old = try FleetRunner.freePort()
        let add = try fleet.run(
            "pd-admin", "ports", "add", "\(old)", "--deprecated", "--state", fleet.serverState)
        try #require(add.status == 0, "\(add.errors)")
        _ = try fleet.stop()
        try await fleet.start()
        let report = try record(#""plugins": {"x": {"y": 1}}"#, minute: 10, home)
        try send(report, fleet)
        try fleet.tools.write("data", report.data)
        try fleet.tools.write("signature", report.signature)
        let replay = try fleet.tools.run(
            [
                "-s", "-o", "/dev/null", "-w", "%{http_code}", "--data-urlencode", "data@data",
                "--data-urlencode", "signature@signature",
                "http://127.0.0.1:\(old)/penguindome/v1/submit",
            ], program: "/usr/bin/curl")
        #expect(replay.text == "200")
        #expect(try fleet.admin("issues", "list").isEmpty)
    }
}
