import Foundation
import Testing

@Suite("What is wrong with a fleet, as its administrators see it", .timeLimit(.minutes(5)))
struct IssuesToolTests {
    private static let checks = """
        calendars: {working: {zone: UTC, days: [monday, tuesday, wednesday, thursday, friday, saturday, sunday], hours: 0-24}}
        checks:
          - {name: open, title: Open, why: Because., fix: echo mend, query: {hostname: {$exists: true}}, alert_frequency: 1d, controls: {soc2: [CC6.1]}}
          - {name: young, title: Young, query: {hostname: {$exists: true}}, grace_period: 30d}
          - {name: put-off, title: Put off, query: {hostname: {$exists: true}}}
          - {name: allowed, title: Allowed, query: {hostname: {$exists: true}}}
          - {name: well, title: Well, query: {hostname: nobody}}
        """

    /// A server with those checks and one host.
    private func world() async throws -> (fleet: FleetRunner, host: String, agent: String) {
        let fleet = try FleetRunner()
        try fleet.setUp()
        try Data(Self.checks.utf8).write(to: fleet.tools.path("server/checks.yml"))
        // The kit gets them too.
        let exported = try fleet.run("pd-admin", "checks", "export", "--state", fleet.serverState)
        try #require(exported.status == 0, "\(exported.errors)")
        try await fleet.start()
        let agent = fleet.tools.path("agent").path
        let joined = try fleet.run(
            "pd-agent", "join", "--kit", "\(fleet.serverState)/agent-kit", "--state", agent)
        try #require(joined.status == 0, "\(joined.errors)")
        try #require(try fleet.run("pd-agent", "cycle", "--state", agent).status == 0)
        let host = try #require(try fleet.admin("hosts", "list").first?["hostname"] as? String)
        return (fleet, host, agent)
    }

    @Test("each option of an audit shows what it says, and a wrong name changes nothing")
    func audit() async throws {
        let (fleet, host, _) = try await world()
        func shown(_ options: String...) throws -> [String] {
            try fleet.admin(["issues", "audit"] + options).compactMap { $0["check"] as? String }.sorted()
        }
        for wrong in [
            ["--host", "nobody"], ["--check", "nothing"], ["--issue-name", "nothing"], ["--at", "soon"],
        ] {
            let outcome = try fleet.run(
                "pd-admin", ["issues", "audit", "--state", fleet.serverState] + wrong)
            #expect(
                outcome.status != 0 && outcome.errors.split(separator: "\n").count == 1, "\(outcome.errors)")
        }
        #expect(try fleet.admin("issues", "list").isEmpty)

        #expect(try shown() == ["allowed", "open", "put-off"])
        #expect(try shown("--ignore-grace-period") == ["allowed", "open", "put-off", "young"])
        let snooze = ["issues", "snooze", "--host", host, "--issue-name", "put-off"]
        for wrong in [[], ["--days", "0"], ["--hours", "-1"], ["--days", "1", "--until", "2099-01-01"]] {
            #expect(try fleet.run("pd-admin", snooze + wrong + ["--state", fleet.serverState]).status != 0)
        }
        #expect(
            try fleet.run("pd-admin", snooze + ["--days", "1", "--hours", "2", "--state", fleet.serverState])
                .status == 0)
        let exempt = try fleet.run(
            "pd-admin", "issues", "exempt", "--host", host, "--check", "allowed", "--until", "2099-01-01",
            "--reason", "holds no data", "--by", "anna", "--state", fleet.serverState)
        #expect(exempt.status == 0 && exempt.text.contains("exempt until 2099-01-01"), "\(exempt.errors)")
        #expect(try shown() == ["open"])
        #expect(try shown("--ignore-snoozed") == ["open", "put-off"])
        #expect(try shown("--ignore-filters") == ["allowed", "open"])
        #expect(try shown("--full") == ["allowed", "open", "put-off", "young"])
        #expect(try shown("--full", "--issue-name", "young", "--check", "open") == ["open", "young"])
        #expect(try shown("--host", host) == ["open"])

        // What was noted as told is recent for a day.
        #expect(try shown("--no-display-recent") == ["open"])
        #expect(try shown("--update-recent") == ["open"])
        #expect(try shown("--no-display-recent") == [])
        #expect(try shown("--no-display-recent", "--no-update-recent") == [])
        #expect(try shown("--display-recent") == ["open"])

        #expect(
            try fleet.run("pd-admin", "issues", "suspend", "--host", host, "--state", fleet.serverState)
                .status == 0)
        #expect(try shown() == [])
        #expect(try shown("--ignore-suspended").contains("open"))
        #expect(
            try fleet.run("pd-admin", "issues", "unsuspend", "--all-hosts", "--state", fleet.serverState)
                .status == 0)
        let ended = try fleet.run(
            "pd-admin", "issues", "unsnooze", "--host", host, "--all", "--state", fleet.serverState)
        #expect(ended.status == 0 && ended.text.contains("put-off: no longer snoozed"), "\(ended.text)")
        #expect(try shown() == ["open", "put-off"])

        // --email tries at once, and says what came of it.
        let settings = try String(contentsOfFile: "\(fleet.serverState)/server.yml", encoding: .utf8)
        try Data(
            (settings + """

                alerts:
                  channels: {it: {slack: "http://127.0.0.1:1/", allow_private: true, calendar: always}}

                """).utf8
        ).write(to: URL(filePath: "\(fleet.serverState)/server.yml"))
        let mailed = try fleet.run(
            "pd-admin", "issues", "audit", "--email", "--fail", "--state", fleet.serverState)
        #expect(mailed.status == 1 && mailed.errors.hasPrefix("channel it: "), "\(mailed.errors)")
        let waiting = try fleet.admin("alerts", "list", "--waiting")
        #expect(waiting.count == 1 && waiting.first?["attempts"] as? Int == 1)
    }

    @Test("one screen, a report and the metrics tell the same, and machines find what the fleet finds")
    func overview() async throws {
        let (fleet, host, agent) = try await world()
        #expect(try fleet.admin("issues", "audit").count == 3)
        let state = ["--state", fleet.serverState]
        let screen = try fleet.run("pd-admin", ["status"] + state)
        #expect(screen.status == 0 && screen.errors.isEmpty, "\(screen.errors)")
        #expect(screen.text.contains("3 to fix (3 medium), 1 in their grace period"), "\(screen.text)")
        #expect(screen.text.split(separator: "\n").count <= 24)
        let status = try fleet.run("pd-admin", ["status", "--json"] + state)
        let document = try #require(try JSONSerialization.jsonObject(with: status.output) as? [String: Any])
        #expect((document["issues"] as? [String: Any])?["alerting"] as? Int == 3)
        #expect(document["last_audit_at"] is String && document["last_backup_at"] is NSNull)
        #expect((document["ends"] as? [[String: Any]])?.count == 2)
        let metrics = try fleet.tools.run(["-sf", fleet.url("/metrics")], program: "/usr/bin/curl").text
        #expect(metrics.contains("penguindome_issues_open{check=\"open\"} 1\n"))
        #expect(
            metrics.contains("penguindome_hosts_silent 0\n")
                && metrics.contains("penguindome_outbox_messages 0\n"))

        let saved = try fleet.run("pd-admin", ["backup", fleet.tools.path("saved").path] + state)
        #expect(saved.status == 0, "\(saved.errors)")
        #expect(try fleet.run("pd-admin", ["status"] + state).text.contains("just now\nsilent hosts"))

        let page = fleet.tools.path("report.html").path
        let made = try fleet.run(
            "pd-admin", ["report", "--from", "2026-01-01", "--to", "2099-01-01", "--out", page] + state)
        #expect(made.status == 2 && made.errors.contains("10 years"), "\(made.errors)")
        let day = String(Date.now.ISO8601Format().prefix(10))
        for (format, start) in [("html", "<!DOCTYPE html>"), ("csv", "host,host_id"), ("json", "{")] {
            let made = try fleet.run(
                "pd-admin", ["report", "--from", day, "--to", day, "--format", format, "--out", page] + state)
            #expect(made.status == 0, "\(made.errors)")
            let text = try String(contentsOfFile: page, encoding: .utf8)
            #expect(text.hasPrefix(start) && text.contains(host))
            let attributes = try FileManager.default.attributesOfItem(atPath: page)
            #expect(attributes[.posixPermissions] as? Int == 0o600)
        }
        let other = try fleet.run(
            "pd-admin", ["report", "--from", day, "--to", day, "--framework", "pci"] + state)
        #expect(other.status == 2 && other.errors.contains("it names soc2"), "\(other.errors)")

        // The kit brought the checks.
        let check = try fleet.run("pd-agent", "check", "--state", agent)
        #expect(check.status == 1 && check.text.contains("medium: Open (open)"), "\(check.errors)")
        #expect(check.text.contains("    fix   echo mend") && check.text.contains("4 of 5 checks of the kit"))
        let all = try fleet.run("pd-agent", "check", "--all", "--json", "--state", agent)
        let answers = try #require(try JSONSerialization.jsonObject(with: all.output) as? [[String: Any]])
        #expect(
            answers.compactMap { $0["verdict"] as? String } == [
                "failing", "failing", "failing", "failing", "passing",
            ])
        let exported = try fleet.run("pd-admin", ["checks", "export"] + state)
        let kit = try String(contentsOfFile: "\(agent)/checks.json", encoding: .utf8)
        #expect(exported.text == kit)
    }
}
