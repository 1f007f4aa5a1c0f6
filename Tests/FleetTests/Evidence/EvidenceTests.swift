import Foundation
import PDDocument
import PDProtocol
import PDStore
import PDTestSupport
import Testing

@testable import PDFleet

@Suite("Evidence for auditors")
struct EvidenceTests {
    private static let start: Int64 = 1_780_272_000_000  // 2026-06-01T00:00:00Z, a Monday
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 24 * hour

    private static let checks = """
        checks:
          - name: disk
            title: The disk is <not> encrypted
            query: {disk: "off"}
            unknown: {query: {disk: "unknown"}}
            evidence: reason
            severity: critical
            controls: {soc2: [CC6.7, CC6.1], iso27001: [A.8.24, A.8.5]}
          - {name: lock, title: No lock, query: {lock: false}, controls: {soc2: [CC6.1], cis: ["10", "4"]}}
          - {name: other, title: Other, query: {other: 1}}
          - {name: expiring-certificate, title: A certificate ends, built_in: true}
        """
    /// What a host, or a person, may write to have it obeyed by a browser, a spreadsheet or a terminal.
    private static let hostile =
        #"=HYPERLINK("http://evil")</td><script>alert(1)</script>"# + "\u{1b}[2J\u{202e}\r\n"
    private static let reason = #""><img src=x onerror="console.error(1)">"#

    /// A week: `a` has no disk encryption from Monday noon to Wednesday noon, exempt from Tuesday on and again since Friday;
    /// `b` has no lock since Thursday, snoozed for a day; `c` never has anything; `d` cannot tell for an hour on Tuesday.
    /// Nobody audits on Saturday.
    private func week() async throws -> (fleet: StoredFleet, checks: CheckSet) {
        let (start, day, hour) = (Self.start, Self.day, Self.hour)
        let fleet = try await StoredFleet(
            try ["a", "b", "c", "d"].map { try StoredFleet.host($0, ["disk": "on"], at: start) })
        let opened = try fleet.opened(checks: Self.checks)
        let checks = try CheckFile.read(opened.state.checksFile)
        func audit(_ at: Int64) async throws {
            _ = try #require(try await FleetAudit(opened, holder: "test").run(at: at))
        }
        func set(_ name: String, _ fields: Document, _ at: Int64) async throws {
            try await fleet.set(try StoredFleet.host(name, fields, at: at))
            try await audit(at)
        }
        func decide(
            _ at: Int64, _ host: String, _ check: String,
            _ body: (IssueDesk, [IssueDesk.Target]) async throws -> Void
        )
            async throws
        {
            let desk = IssueDesk(store: fleet.store, checks: checks, now: at, by: "anna")
            let hosts = try await desk.hosts(named: [host], where: nil)
            try await body(desk, try await desk.targets(hosts: hosts, checks: [check]))
        }
        try await audit(start)
        try await set("a", ["disk": "off", "reason": .string(Self.hostile)], start + 12 * hour)
        try await set("d", ["disk": "unknown"], start + day + 9 * hour)
        try await decide(start + day + 10 * hour, "a", "disk") { desk, targets in
            try await desk.exempt(targets, until: start + 30 * day, reason: Self.reason)
        }
        try await set("d", ["disk": "on"], start + day + 10 * hour)
        try await set("a", ["disk": "on"], start + 2 * day + 12 * hour)
        try await set("b", ["disk": "on", "lock": false], start + 3 * day + 8 * hour)
        try await decide(start + 3 * day + 9 * hour, "b", "lock") { desk, targets in
            try await desk.snooze(
                targets, until: start + 4 * day + 9 * hour, untilResolved: false, reason: "holiday")
        }
        try await audit(start + 4 * day + 9 * hour)
        try await decide(start + 4 * day + 10 * hour, "a", "disk") { desk, targets in
            _ = try await desk.endSilence(.exemption, targets, reason: "encrypted now")
        }
        try await audit(start + 6 * day)
        return (fleet, checks)
    }

    private func evidence(
        _ fleet: StoredFleet, _ checks: CheckSet, days: Range<Int64> = 0..<7, framework: String? = nil,
        at now: Int64 = start + 7 * day
    ) async throws -> Evidence {
        try await Evidence(
            store: fleet.store, checks: checks, from: Self.start + days.lowerBound * Self.day,
            to: Self.start + days.upperBound * Self.day, framework: framework, at: now)
    }

    @Test("figures by day, check and host are those of the records, whose names the store knows")
    func figures() async throws {
        let (fleet, checks) = try await week()
        let evidence = try await evidence(fleet, checks)
        #expect(evidence.hosts.map(\.hostname.name) == ["a", "b", "c", "d"])
        #expect(
            evidence.episodes.map { "\($0.subject) \($0.check) \($0.kind)" } == [
                "a disk failing", "d disk unknown", "b lock failing",
            ])
        #expect(evidence.days.map(\.open) == [1, 1, 0, 1, 1, 1, 1])
        #expect(evidence.days.map(\.excepted) == [0, 1, 0, 1, 0, 0, 0])
        #expect(evidence.days.map(\.opened) == [[0], [1], [], [2], [], [], []])
        #expect(evidence.days.map(\.closed) == [[], [1], [0], [], [], [], []])
        #expect(evidence.days.map(\.audits) == [2, 2, 1, 1, 1, 0, 1])
        #expect(evidence.unauditedDays.map(\.description) == ["2026-06-06"])

        let disk = try #require(evidence.byCheck()["disk"])
        #expect(disk.episodes == [0, 1] && disk.subjects == ["a", "d"] && disk.open == 0)
        #expect(disk.openTime == 49 * Self.hour && disk.exceptions == [0])
        #expect(evidence.byCheck()["lock"]?.openTime == 88 * Self.hour)
        #expect(evidence.bySubject()[.init(subject: "b", check: "lock")]?.open == 1)
        #expect(evidence.byCheck()["other"] == nil)

        // Each record that is named is one of the store.
        let stored = try await fleet.store.issues(from: 0, to: .max)
        for episode in evidence.episodes {
            let known = stored.map {
                "\($0.hostID.text) \($0.check) \(Timestamp.text(milliseconds: $0.openedAt))"
            }
            #expect(known.count { $0 == episode.record } == 1)
        }
        for name in evidence.exceptions.map(\.record) + evidence.decisions.map(\.record) {
            #expect(try await fleet.store.record(.issueEvents, name) != nil)
        }
    }

    @Test("exceptions say since when, until when, how they ended, who decided and why")
    func exceptions() async throws {
        let (fleet, checks) = try await week()
        let evidence = try await evidence(fleet, checks)
        let (exemption, snooze) = (evidence.exceptions[0], evidence.exceptions[1])
        #expect(exemption.kind == .exemption && exemption.hostname == "a" && exemption.by == "anna")
        #expect(exemption.until == Self.start + 30 * Self.day && exemption.reason == Self.reason)
        #expect(exemption.endedAt == Self.start + 4 * Self.day + 10 * Self.hour)
        #expect(exemption.endReason == "encrypted now" && exemption.end == exemption.endedAt)
        #expect(snooze.kind == .snooze && snooze.until == Self.start + 4 * Self.day + 9 * Self.hour)
        #expect(evidence.decisions.map(\.event.kind) == [.exempted, .snoozed, .exemptionEnded])

        // What was decided before the period and holds into it belongs to it; what ended before does not.
        let later = try await self.evidence(fleet, checks, days: 4..<6)
        #expect(later.exceptions.count == 2 && later.decisions.map(\.event.kind) == [.exemptionEnded])
        #expect(try await self.evidence(fleet, checks, days: 6..<7).exceptions.isEmpty)
    }

    @Test(
        "a period that is not over says up to when it is known, and one without audits that nothing was kept")
    func incomplete() async throws {
        let (fleet, checks) = try await week()
        let running = try await evidence(
            fleet, checks, days: 2..<30, at: Self.start + 3 * Self.day + 20 * Self.hour)
        #expect(running.days.map(\.date.description) == ["2026-06-03", "2026-06-04"])
        #expect(running.days.map(\.open) == [0, 1] && running.episodes.count == 2)
        #expect(running.episodes.map { running.openTime($0) } == [12 * Self.hour, 12 * Self.hour])
        #expect(EvidencePage(running).html.contains("known up to 2026-06-04 20:00"))
        let before = try await evidence(fleet, checks, days: -2..<0)
        #expect(before.days.map(\.audits) == [nil, nil] && before.episodes.isEmpty)
    }

    @Test("a framework chooses checks and controls, in the order that people expect; an unknown one is named")
    func frameworks() async throws {
        let (fleet, checks) = try await week()
        let soc2 = try await evidence(fleet, checks, framework: "soc2")
        #expect(soc2.checks.map(\.name) == ["disk", "lock"])
        #expect(
            soc2.controls.map { "\($0.name): \($0.checks)" } == [
                #"CC6.1: ["disk", "lock"]"#, #"CC6.7: ["disk"]"#,
            ])
        let cis = try await evidence(fleet, checks, framework: "cis")
        #expect(cis.controls.map(\.name) == ["4", "10"] && cis.episodes.map(\.check) == ["lock"])
        #expect(cis.exceptions.map(\.kind) == [.snooze])
        let iso = try await evidence(fleet, checks, framework: "iso27001")
        #expect(iso.controls.map(\.name) == ["A.8.5", "A.8.24"])
        await #expect(throws: FleetError.self) { try await evidence(fleet, checks, framework: "pci") }
    }

    @Test(
        "the shipped checks answer to every control that the documents promise, and each of these has a title"
    )
    func shippedControls() async throws {
        let fleet = try await StoredFleet()
        let checks = try CheckFile.read(yaml: CheckFile.shipped, file: "checks.yml")
        let evidence = try await evidence(fleet, checks)
        #expect(
            evidence.controls.map { "\($0.framework) \($0.name)" } == [
                "cis 4", "cis 7", "cis 10", "iso27001 A.8.1", "iso27001 A.8.5", "iso27001 A.8.7",
                "iso27001 A.8.8",
                "iso27001 A.8.9", "iso27001 A.8.24", "soc2 CC6.1", "soc2 CC6.6", "soc2 CC6.7", "soc2 CC6.8",
                "soc2 CC7.1",
            ])
        #expect(evidence.controls.allSatisfy { !$0.title.isEmpty })
    }

    @Test("an issue of the fleet itself is evidence while it is open and after it has ended")
    func ofFleet() async throws {
        let fleet = try await StoredFleet()
        let checks = try CheckFile.read(yaml: Self.checks, file: "checks.yml")
        let found = BuiltInFindings.OfFleet(
            check: .expiringCertificate, subject: "port 8443", evidence: "ends in 3 days")
        func audit(_ findings: [BuiltInFindings.OfFleet], _ hours: Int64) async throws {
            _ = try await Audit.run(
                store: fleet.store, checks: checks, builtIn: BuiltInFindings(fleet: findings),
                at: Self.start + hours * Self.hour)
        }
        for (findings, hours) in [([found], 1), ([], 30), ([found], 50)]
            as [([BuiltInFindings.OfFleet], Int64)]
        {
            try await audit(findings, hours)
        }
        let evidence = try await evidence(fleet, checks)
        #expect(evidence.episodes.map { $0.closedAt == nil } == [false, true])
        #expect(Set(evidence.episodes.map(\.record)).count == 2)
        #expect(evidence.days.map(\.open) == [1, 0, 1, 1, 1, 1, 1])
        #expect(evidence.csv.contains("port 8443,,,expiring-certificate,A certificate ends,medium,,closed,"))
    }

    @Test("a spreadsheet shows what hosts and people wrote, and obeys none of it")
    func csv() async throws {
        let (fleet, checks) = try await week()
        let lines = try await evidence(fleet, checks).csv.components(separatedBy: "\r\n")
        #expect(lines.first?.hasPrefix("host,host_id,last_report,check,") == true)
        // Four hosts and three checks, each once, and the heading; nothing after the last line's end.
        #expect(lines.count == 14 && lines.last == "")
        let disk = try #require(lines.first { $0.contains("script") })
        #expect(disk.contains(#","'=HYPERLINK(""http://evil"")</td><script>alert(1)</script>?[2J? ","#))
        #expect(lines.contains { $0.hasPrefix("c,") && $0.contains(",other,Other,medium,,none,") })
        for bad in ["=1+1", "+1", "-1", "@SUM(A1)", " =1", "\t=1", "\r=1", "|calc", "＝1"] {
            let cell = CSV.cell(bad)
            #expect(cell.hasPrefix("'") || cell.hasPrefix("\"'"), "\(cell)")
        }
        #expect(
            CSV.cell("a\nb") == "a b" && CSV.cell("a\"b") == "\"a\"\"b\""
                && CSV.cell("2026-06-01") == "2026-06-01")
    }

    @Test("JSON has every record, and figures that agree with them")
    func json() async throws {
        let (fleet, checks) = try await week()
        let evidence = try await evidence(fleet, checks)
        let document = try Document(json: Array(evidence.json.json().utf8))
        let issues = try #require(document["issues"]?.array)
        #expect(issues.compactMap { $0.document?["record"]?.string } == evidence.episodes.map(\.record))
        let days = try #require(document["days"]?.array)
        #expect(days.compactMap { $0.document?["open"]?.integer } == evidence.days.map(\.open))
        #expect(document["exceptions"]?.array?.count == 2 && document["decisions"]?.array?.count == 3)
    }

    @Test("markup that hosts and people wrote is text, also behind a combining character")
    func escapes() {
        #expect("<\u{301}b \"\u{301}&\u{301}".htmlEscaped == "&lt;\u{301}b &quot;\u{301}&amp;\u{301}")
        #expect("a\u{1b}[31m\u{202e}\u{2028}\u{e000}é".printable == "a?[31m???é")
    }

    @Test("a browser shows the page without a word of complaint, and runs nothing that hosts or people wrote")
    func browser() async throws {
        let (fleet, checks) = try await week()
        let page = EvidencePage(try await evidence(fleet, checks)).html
        let file = fleet.directory.appending(path: "report.html")
        try Data(page.utf8).write(to: file)
        func chromium(_ arguments: String...) async throws -> String {
            let run = try await Program.run(
                "/usr/bin/env",
                [
                    "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
                    "--user-data-dir=\(fleet.directory.appending(path: "browser").path)",
                    "--enable-logging=stderr",
                ] + arguments + ["file://\(file.path)"])
            #expect(run.status == 0, "\(run.output)")
            #expect(!run.output.contains("CONSOLE"), "\(run.output)")
            return run.output
        }
        let dom = try await chromium("--dump-dom")
        #expect(dom.contains("<h1>State of the fleet</h1>"))
        #expect(!dom.contains("<script") && !dom.contains("<img"))
        // One bar a day that has one, and each link leads to a place of the page.
        #expect(dom.components(separatedBy: "<rect class=\"open\"").count - 1 == 4)
        #expect(dom.components(separatedBy: "<rect class=\"excepted\"").count - 1 == 2)
        #expect(dom.components(separatedBy: "<rect class=\"blind\"").count - 1 == 1)
        let anchors = Set(dom.matches(of: /href="#([^"]*)"/).map(\.1))
        for anchor in anchors { #expect(dom.contains("id=\"\(anchor)\""), "\(anchor)") }
        #expect(anchors.contains("R1") && anchors.contains("E1") && anchors.contains("check-disk"))

        let picture = fleet.directory.appending(path: "report.png")
        _ = try await chromium("--window-size=1200,1600", "--hide-scrollbars", "--screenshot=\(picture.path)")
        let png = [UInt8](try Data(contentsOf: picture))
        #expect(png.starts(with: [0x89, 0x50, 0x4E, 0x47]) && png.count > 20_000)
        // A page that prints: more than nothing, and as PDF.
        let printed = fleet.directory.appending(path: "report.pdf")
        _ = try await chromium("--print-to-pdf=\(printed.path)")
        #expect(try Data(contentsOf: printed).starts(with: Array("%PDF".utf8)))
        if let keep = ProcessInfo.processInfo.environment["PENGUINDOME_TEST_KEEP"] {
            for made in [file, picture, printed] {
                let copy = URL(filePath: keep).appending(path: made.lastPathComponent)
                try? FileManager.default.removeItem(at: copy)
                try FileManager.default.copyItem(at: made, to: copy)
            }
        }
    }
}
