import Foundation
import PDBasics
import PDDocument
import PDProtocol
import PDQuery
import PDSettings
import PDStore
import PDTestSupport
import Testing

@testable import PDFleet

// Foundation and Testing have types of the same names.
private typealias Issue = PDStore.Issue

@Suite("An audit of the fleet")
struct AuditTests {
    private static let now: Int64 = 1_717_599_600_000  // 2024-06-05T15:00:00Z
    private static let hour: Int64 = 3_600_000

    fileprivate func host(_ name: String, _ fields: Document = [:]) throws -> FleetHost {
        let hostname = try #require(Hostname(name))
        return FleetHost(
            id: HostID(v1: hostname), hostname: hostname, submittedAt: Self.now,
            document: Document([("hostname", .string(name))] + fields.map { ($0.key, $0.value) }))
    }

    private func check(_ name: String, _ query: Document, grace: Int64 = 0) -> Check {
        var check = Check(name: name, title: name, method: .query(query))
        check.gracePeriod = TimeSpan(milliseconds: grace)
        return check
    }

    private func run(_ fleet: StoredFleet, _ checks: [Check], at now: Int64 = now) async throws -> AuditReport
    {
        try await Audit.run(store: fleet.store, checks: CheckSet(checks: checks), at: now)
    }

    private func findings(_ report: AuditReport) -> [String] {
        report.findings.map { "\($0.subject.name) \($0.check.name) \($0.isAlerting)" }
    }

    // MARK: - Running

    @Test("an issue is opened when it is seen, alerts after its grace period, and closes when it is gone")
    func life() async throws {
        let fleet = try await StoredFleet([try host("a", ["x": 1]), try host("b", ["x": 2])])
        let checks = [check("one", ["x": 1], grace: 4 * Self.hour), check("two", ["x": 2])]
        var report = try await run(fleet, checks, at: Self.now)
        #expect(findings(report) == ["a one false", "b two true"])
        #expect(report.hostCount == 2)
        #expect(report.findings[0].openedAt == Self.now)

        report = try await run(fleet, checks, at: Self.now + 4 * Self.hour - 1)
        #expect(findings(report) == ["a one false", "b two true"])
        report = try await run(fleet, checks, at: Self.now + 4 * Self.hour)
        #expect(findings(report) == ["a one true", "b two true"])
        #expect(report.findings[0].openedAt == Self.now)

        try await fleet.set(try host("a", ["x": 3]))
        report = try await run(fleet, checks, at: Self.now + 5 * Self.hour)
        #expect(findings(report) == ["b two true"])

        try await fleet.set(try host("a", ["x": 1]))
        report = try await run(fleet, checks, at: Self.now + 6 * Self.hour)
        #expect(findings(report) == ["a one false", "b two true"])
        #expect(report.findings[0].openedAt == Self.now + 6 * Self.hour)
    }

    @Test("suspended hosts are passed over and their issues are quiet; only true suspends")
    func suspended() async throws {
        let fleet = try await StoredFleet([
            try host("a", ["x": 1]), try host("b", ["x": 1, "suspended": true]),
            try host("c", ["x": 1, "suspended": false]), try host("d", ["x": 1, "suspended": nil]),
        ])
        let checks = [check("one", ["x": 1])]
        var report = try await run(fleet, checks, at: Self.now)
        #expect(findings(report) == ["a one true", "c one true", "d one true"])
        #expect(report.hostCount == 4)
        #expect(report.suspendedCount == 1)
        try await fleet.set(try host("a", ["x": 1, "suspended": true]))
        report = try await run(fleet, checks, at: Self.now)
        #expect(findings(report) == ["a one false", "c one true", "d one true"])
        #expect(report.findings[0].state == .suspended)
        // What it reported before says nothing: its issue stays as it is until it reports again.
        try await fleet.set(try host("a", ["x": 2, "suspended": true]))
        #expect(findings(try await run(fleet, checks)).first == "a one false")
        try await fleet.set(try host("a", ["x": 2]))
        #expect(findings(try await run(fleet, checks)) == ["c one true", "d one true"])
    }

    @Test("a check that cannot be decided on a host is a finding of the kind unknown there, and is told")
    func undecided() async throws {
        let fleet = try await StoredFleet([
            try host("a", ["x": .string(String(repeating: "a", count: 50_000) + "!")]),
            try host("b", ["x": "a"]), try host("c", ["x": "!"]),
        ])
        let checks = [check("costly", ["x": ["$regex": "^(a+)+$"]]), check("cheap", ["x": ["$regex": "!"]])]
        let report = try await run(fleet, checks)
        #expect(findings(report) == ["a cheap true", "a costly true", "b costly true", "c cheap true"])
        #expect(report.findings.filter { $0.kind == .unknown }.map(\.check.name) == ["costly"])
        #expect(report.undecided.map { "\($0.hostname) \($0.check)" } == ["a costly"])
    }

    @Test("issues of checks that did not run are left alone and not reported")
    func otherChecks() async throws {
        let fleet = try await StoredFleet([try host("a", ["x": 1])])
        _ = try await run(fleet, [check("one", ["x": 1])])
        let report = try await run(fleet, [check("two", ["x": 1])])
        #expect(findings(report) == ["a two true"])
        #expect(try await fleet.store.openIssues().map(\.check) == ["one", "two"])
    }

    @Test("a query that is wrong stops the audit before anything is written")
    func wrongQuery() async throws {
        let fleet = try await StoredFleet([try host("a", ["x": 1])])
        _ = try await run(fleet, [check("one", ["x": 1])])
        try await fleet.set(try host("a"))
        await #expect(throws: QueryError.self) {
            try await run(fleet, [check("one", ["x": 1]), check("bad", ["$no": 1])])
        }
        #expect(try await fleet.store.openIssues().count == 1)
    }

    @Test(
        "p119_hosts without plugins, with plugins of other shapes and with commands only are audited like others"
    )
    func oddHosts() async throws {
        let fleet = try await StoredFleet([
            try host(
                "commands",
                ["commands": ["c": ["output": "o"]], "submitted_at": .date(milliseconds: Self.now)]),
            try host("empty"), try host("list", ["plugins": [1, ["firewall": ["status": "on"]], "x"]]),
            try host("null", ["plugins": nil]),
            try host("text", ["plugins": "unknown", "submitted_at": "never"]),
        ])
        let checks = try CheckFile.read(yaml: CheckFile.shipped, file: "checks.yml")
        let report = try await run(fleet, checks.checks)
        #expect(
            findings(report).filter { $0.contains("firewall") } == [
                "commands firewall-disabled true", "empty firewall-disabled true",
                "null firewall-disabled true",
                "text firewall-disabled true",
            ])
        #expect(findings(report).filter { $0.contains("not-reporting") } == [])
    }

    // MARK: - The shipped checks

    @Test(
        "the shipped checks find what the original's checks find in reports of the original's agents",
        arguments: [
            "not-reporting", "no-location", "ssh-password-authentication", "ssh-root-password-authentication",
            "eraagent-absent", "eraagent-stopped", "eset-absent", "eset-out-of-date", "eset-stopped",
            "os-update-available", "os-security-patches-available", "guest-session-enabled",
            "unencrypted-hard-drive", "firewall-disabled", "screenlock-disabled",
        ])
    func shippedLikeOriginal(name: String) async throws {
        let file = URL(filePath: #filePath).deletingLastPathComponent()
            .appending(path: "../../../vectors/v1/audit/specs.json")
        let specs = try Document(json: Array(try Data(contentsOf: file)))
        let documents = try #require(specs["docs"]?.array).compactMap { $0.withDates.document }
        #expect(documents.count == 59)
        let hosts = try documents.map { document in
            let hostname = try #require(document["hostname"]?.string.flatMap(Hostname.init))
            return FleetHost(id: HostID(v1: hostname), hostname: hostname, submittedAt: 0, document: document)
        }
        let recorded = try #require(
            specs["checks"]?.array?.compactMap(\.document).first { $0["check"] == .string(name) })
        let checks = try CheckFile.read(yaml: CheckFile.shipped, file: "checks.yml")
        var check = try #require(checks[name])
        // The original asks every host, also those on which the product is not wanted.
        check.appliesTo = nil
        let fleet = try await StoredFleet(hosts)
        let report = try await run(fleet, [check])
        let matches = try #require(recorded["matches"]?.array).compactMap(\.string)
        #expect(
            report.findings.filter { $0.state != .suspended }.map(\.subject.name)
                == matches.filter { $0 != "suspended" }.sorted())
        #expect(recorded["grace_period_s"] == .double(Double(check.gracePeriod.milliseconds) / 1000))
        #expect(recorded["alert_frequency_s"] == .double(Double(check.alertFrequency.milliseconds) / 1000))
    }

    @Test(
        "the shipped checks understand agents that give a status: only off is wrong, and unknown is a finding of its own kind",
        arguments: [
            ("on", nil), ("off", Finding.Kind.failing), ("unknown", .unknown), ("not_applicable", nil),
        ])
    func shippedStatus(status: String, kind: Finding.Kind?) async throws {
        let plugins: Document = [
            "firewall": ["status": .string(status), "reason": "r"],
            "hd_encryption": [
                "status": .string(status), "reason": "r", "mounts": [["mount": "/", "encrypted": false]],
            ],
        ]
        let fleet = try await StoredFleet([
            try host("h", ["submitted_at": .date(milliseconds: Self.now), "plugins": .document(plugins)])
        ])
        let checks = try CheckFile.read(yaml: CheckFile.shipped, file: "checks.yml")
        let wanted = ["firewall-disabled", "unencrypted-hard-drive"].compactMap { checks[$0] }
        let report = try await run(fleet, wanted)
        #expect(
            report.findings.map(\.check.name)
                == (kind == nil ? [] : ["firewall-disabled", "unencrypted-hard-drive"]))
        #expect(
            report.findings.allSatisfy { $0.kind == kind && !$0.check.why.isEmpty && !$0.check.fix.isEmpty })
        #expect(report.findings.allSatisfy { $0.isAlerting == (kind == .failing) && $0.evidence == "r" })
        // Three working days later, from Wednesday 15:00 to Monday 15:00, whoever cannot tell is asked after as well.
        let later = try await run(fleet, wanted, at: Self.now + 5 * 24 * Self.hour)
        #expect(later.findings.allSatisfy { $0.isAlerting })
    }

    @Test("the shipped checks find what this agent's collectors report, under the names that they report it")
    func shippedForCollectors() async throws {
        let good: Document = [
            "antivirus": ["status": "on"], "autologin": ["enabled": false],
            "firewall": ["status": "on"], "geolocation": ["position": "off"],
            "guest_session": ["enabled": false],
            "hd_encryption": ["status": "on"], "integrity": ["status": "intact"],
            "os_end_of_life": ["supported": true],
            "os_updates": ["release": false, "security_patches": false],
            "reboot_required": ["required": false],
            "screenlock": ["users": [["user": "anna", "enabled": true]]],
            "secure_boot": ["status": "on"],
            "sshd": [
                "status": "running", "config": ["passwordauthentication": "no", "permitrootlogin": "no"],
            ],
            "time_sync": ["status": "on"], "updates_automatic": ["status": "on"],
            "users": ["without_password": []],
        ]
        let bad: Document = [
            "antivirus": ["status": "off"], "autologin": ["enabled": true],
            "firewall": ["status": "off"], "guest_session": ["enabled": true],
            "hd_encryption": ["status": "off"],
            "integrity": ["status": "changed", "refused": [["order": "x"]], "update": "no space"],
            "os_end_of_life": ["supported": false],
            "os_updates": ["release": true, "security_patches": true],
            "reboot_required": ["required": true],
            "screenlock": ["users": [["user": "anna", "enabled": false]]],
            "secure_boot": ["status": "off"],
            "sshd": [
                "status": "running", "config": ["passwordauthentication": "yes", "permitrootlogin": "yes"],
            ],
            "time_sync": ["status": "off"], "updates_automatic": ["status": "off"],
            "users": ["without_password": ["guest"]],
        ]
        let checks = try CheckFile.read(yaml: CheckFile.shipped, file: "checks.yml")
        let fleet = try await StoredFleet([
            try StoredFleet.host("good", ["plugins": .document(good)], at: Self.now),
            try StoredFleet.host("bad", ["plugins": .document(bad)], at: Self.now),
        ])
        let found = try await run(fleet, checks.checks).findings
        #expect(found.filter { $0.subject.name == "good" }.map(\.check.name) == [])
        let others: Set = [
            "not-reporting", "no-location", "eraagent-absent", "eraagent-stopped", "eset-absent",
            "eset-out-of-date", "eset-stopped",
        ]
        let wanted = checks.checks.filter { $0.method != .builtIn && !others.contains($0.name) }.map(\.name)
        #expect(found.map(\.check.name) == wanted.sorted())
    }

    // MARK: - checks.yml

    private func read(_ yaml: String) throws(SettingsError) -> [Check] {
        try CheckFile.read(yaml: yaml, file: "checks.yml").checks
    }

    @Test("a check is read with its defaults, its query in YAML or in JSON")
    func reading() throws {
        let checks = try read(
            #"""
            checks:
              - name: a-1
                title: T
                query: {"a.b": {"$in": [1, -2.5, "x", null, true, {"c": []}]}, "d": {"$lt": {"$ago": "1d"}}}
              - {name: b, title: T, why: W, fix: F, grace_period: 1d12h, alert_frequency: 30m, query: {}}
              - name: c
                title: T
                query:
                  $or:
                    - x: plain text
                    - y: "off"
                    - "z": '1'
            """#)
        #expect(checks.map(\.name) == ["a-1", "b", "c"])
        #expect(
            checks[0].method
                == .query([
                    "a.b": ["$in": [1, -2.5, "x", nil, true, ["c": []]]], "d": ["$lt": ["$ago": "1d"]],
                ]))
        #expect(checks[0].gracePeriod.milliseconds == 0)
        #expect(checks[0].alertFrequency.milliseconds == 3_600_000)
        #expect(checks[1].gracePeriod.milliseconds == 129_600_000)
        #expect(checks[1].alertFrequency.milliseconds == 1_800_000)
        #expect([checks[1].why, checks[1].fix] == ["W", "F"])
        #expect(checks[2].method == .query(["$or": [["x": "plain text"], ["y": "off"], ["z": "1"]]]))
        // A file that was cut off must not look like a fleet without a fault.
        for text in ["", "checks: []"] { #expect(throws: SettingsError.self) { try read(text) } }
    }

    @Test(
        "a mistake is named with its line and, where a name is mistyped, the nearest that is right",
        arguments: [
            (
                "checks:\n- {name: a, title: T, query: {}, grace_perod: 1h}",
                "checks.yml:2: checks[0]:grace_perod is not a setting: did you mean checks[0]:grace_period?"
            ),
            (
                "checks:\n- name: a\n  title: T\n  querry: {}",
                "checks.yml:4: checks[0]:querry is not a setting: did you mean checks[0]:query?"
            ),
            ("check: []", "checks.yml:1: check is not a setting: did you mean checks?"),
            ("checks: 1", "checks.yml:1: checks must be a list"),
            ("checks:\n- name: a\n  title: T", "checks.yml:2: checks[0]:query is missing"),
            ("checks:\n- name: a\n  query: {}", "checks.yml:2: checks[0]:title is missing"),
            ("checks:\n- title: a\n  query: {}", "checks.yml:2: checks[0]:name is missing"),
            (
                "checks:\n- name: A b\n  title: T\n  query: {}",
                "checks.yml:2: checks[0]:name must be made of lower-case letters, digits and hyphens"
            ),
            (
                "checks:\n- {name: a, title: T, query: {}}\n- {name: a, title: T, query: {}}",
                "checks.yml:3: checks[1]:name a is the name of two checks"
            ),
            (
                "checks:\n- name: a\n  title: T\n  query: {}\n  grace_period: an hour",
                "checks.yml:5: checks[0]:grace_period must be \(TimeSpan.form)"
            ),
            ("checks:\n- name: a\n  title: T\n  query: [1]", "checks.yml:4: a query must be a mapping"),
            (
                "checks:\n- name: a\n  title: T\n  query:\n    $or:\n    - x: 1\n    - y:\n        $gtt: 5",
                "checks.yml:8: query at $or[1] / y / $gtt: unknown operator $gtt"
            ),
            (
                "checks:\n- name: a\n  title: T\n  query:\n    x: 1\n    y: {$lt: {$ago: soon}}",
                "checks.yml:6: query at y / $lt: $ago needs \(TimeSpan.form)"
            ),
            (
                "checks:\n- name: a\n  title: T\n  query:\n    firewall: off",
                "checks.yml:5: off means different things to different readers: write it in quotation marks, or as JSON writes it"
            ),
            (
                "checks:\n- name: a\n  title: T\n  query:\n    x: 010",
                "checks.yml:5: 010 means different things to different readers: write it in quotation marks, or as JSON writes it"
            ),
            (
                "checks:\n- name: a\n  title: T\n  query:\n    x: 2024-06-01",
                "checks.yml:5: 2024-06-01 means different things to different readers: write it in quotation marks, or as JSON writes it"
            ),
            (
                "checks:\n- name: a\n  title: T\n  query:\n    [x]: 1",
                "checks.yml:5: a name must be plain text"
            ),
        ])
    func mistakes(yaml: String, message: String) {
        let error = #expect(throws: SettingsError.self) { try read(yaml) }
        #expect(error?.description == message)
    }

    @Test("a query nested without end is refused, not followed")
    func deep() throws {
        let yaml =
            "checks: [{name: a, title: T, query: {x: " + String(repeating: "[", count: 110)
            + String(repeating: "]", count: 110) + "}}]"
        let error = #expect(throws: SettingsError.self) { try read(yaml) }
        #expect(error?.message == "the query is nested too deep")
    }
}
