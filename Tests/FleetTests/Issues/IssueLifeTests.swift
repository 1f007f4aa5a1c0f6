import Foundation
import PDBasics
import PDDocument
import PDProtocol
import PDStore
import Testing

@testable import PDFleet

@Suite("The life of an issue")
struct IssueLifeTests {
    private static let start: Int64 = 1_780_308_000_000  // 2026-06-01T10:00:00Z, a Monday
    private static let hour: Int64 = 3_600_000
    private static let day: Int64 = 24 * hour

    private let checks: CheckSet

    init() throws {
        checks = try CheckFile.read(
            yaml: """
                checks:
                  - {name: bad, title: Bad, query: {x: 1}, unknown: {query: {x: "unknown"}, grace_period: 2h}}
                  - {name: silent, title: Silent, query: {submitted_at: {$lt: {$ago: 1d}}}, spares_linked_hosts: 31d}
                """, file: "checks.yml")
    }

    private func audit(_ fleet: StoredFleet, at now: Int64) async throws -> [String] {
        try await Audit.run(store: fleet.store, checks: checks, at: now).findings.map {
            "\($0.subject.name) \($0.check.name) \($0.kind) \($0.state)"
        }
    }

    private func desk(_ fleet: StoredFleet, at now: Int64) -> IssueDesk {
        IssueDesk(store: fleet.store, checks: checks, now: now, by: "anna")
    }

    private func targets(_ desk: IssueDesk, _ host: String, _ checks: [String] = []) async throws
        -> [IssueDesk.Target]
    {
        try await desk.targets(hosts: try await desk.hosts(named: [host], where: nil), checks: checks)
    }

    @Test(
        "a snooze is quiet until its date, outlives an issue that flaps and a new name, and ends with a note")
    func snooze() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let fleet = try await StoredFleet([try StoredFleet.host("a", ["x": 1], at: start)])
        #expect(try await audit(fleet, at: start) == ["a bad failing open"])
        let desk = desk(fleet, at: start)
        try await desk.snooze(
            try await targets(desk, "a"), until: start + 10 * hour, untilResolved: false, reason: "later")
        #expect(try await audit(fleet, at: start + hour) == ["a bad failing snoozed"])

        try await fleet.set(try StoredFleet.host("a", ["x": 2], at: start + 2 * hour))
        #expect(try await audit(fleet, at: start + 2 * hour) == [])
        try await fleet.set(try StoredFleet.host("a", ["x": 1], at: start + 3 * hour))
        let id = HostID(v1: try #require(Hostname("a")))
        try await fleet.store.rename(host: id, to: try #require(Hostname("b")))
        #expect(try await audit(fleet, at: start + 3 * hour) == ["b bad failing snoozed"])
        #expect(try await audit(fleet, at: start + 10 * hour) == ["b bad failing open"])
        #expect(try await fleet.store.records(.silences) == [])
        let what = try await desk.history(from: 0, to: .max / 2).map { "\($0.what) \($0.by) \($0.reason)" }
        #expect(what.contains("snoozed anna later") && what.contains("snooze_ended  its time is over"))
    }

    @Test("a snooze until it is resolved ends then, and a date beside it ends it if it comes first")
    func untilResolved() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let fleet = try await StoredFleet(
            ["a", "b"].map { try StoredFleet.host($0, ["x": 1], at: start) })
        _ = try await audit(fleet, at: start)
        let desk = desk(fleet, at: start)
        try await desk.snooze(try await targets(desk, "a"), until: nil, untilResolved: true, reason: "")
        try await desk.snooze(
            try await targets(desk, "b"), until: start + hour, untilResolved: true, reason: "")
        #expect(try await audit(fleet, at: start + hour) == ["a bad failing snoozed", "b bad failing open"])
        try await fleet.set(try StoredFleet.host("a", ["x": 2], at: start + 2 * hour))
        _ = try await audit(fleet, at: start + 2 * hour)
        try await fleet.set(try StoredFleet.host("a", ["x": 1], at: start + 3 * hour))
        #expect(try await audit(fleet, at: start + 3 * hour).first == "a bad failing open")
    }

    @Test("unsnoozing ends a snooze, also one that a database of version 1 brought along")
    func unsnooze() async throws {
        let (start, day) = (Self.start, Self.day)
        let host = try StoredFleet.host("a", ["x": 1], at: start)
        let fleet = try await StoredFleet([host])
        try await fleet.store.apply(
            issues: [
                IssueChange(
                    .open, host: host.id, check: "bad",
                    details: [
                        "snoozed_at": .date(milliseconds: start),
                        "unsnooze_at": .date(milliseconds: start + 3 * day),
                    ])
            ], records: [], at: start)
        #expect(try await audit(fleet, at: start + day) == ["a bad failing snoozed"])
        let desk = desk(fleet, at: start + day)
        let ended = try await desk.endSilence(.snooze, try await targets(desk, "a"), reason: "enough")
        #expect(ended.count == 1)
        #expect(try await audit(fleet, at: start + day) == ["a bad failing open"])
        #expect(try await desk.endSilence(.snooze, try await targets(desk, "a"), reason: "").isEmpty)
    }

    @Test(
        "what is closed by hand does not come back before newer data; what is opened by hand stays until then"
    )
    func byHand() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let fleet = try await StoredFleet([
            try StoredFleet.host("a", ["x": 1], at: start), try StoredFleet.host("b", ["x": 2], at: start),
        ])
        _ = try await audit(fleet, at: start)
        let desk = desk(fleet, at: start + hour)
        #expect(try await desk.close(try await targets(desk, "a"), reason: "seen").count == 1)
        try await desk.open(try await targets(desk, "b", ["bad"]), reason: "I saw it")
        #expect(try await audit(fleet, at: start + 2 * hour) == ["b bad failing open"])

        for (name, x) in [("a", 1), ("b", 2)] {
            try await fleet.set(try StoredFleet.host(name, ["x": .int(x)], at: start + 3 * hour))
        }
        #expect(try await audit(fleet, at: start + 3 * hour) == ["a bad failing open"])
        // A name that no check has stays until a person closes it.
        try await desk.open(
            [
                .init(
                    host: HostID(v1: try #require(Hostname("b"))), hostname: try #require(Hostname("b")),
                    check: "lost-key")
            ], reason: "")
        #expect(try await audit(fleet, at: start + 90 * Self.day).contains("b lost-key failing open"))
        #expect(try await desk.close(try await targets(desk, "b", ["lost-key"]), reason: "").count == 1)
    }

    @Test("a host that cannot tell has an issue of its own kind; once it can, another one begins")
    func unknown() async throws {
        let (start, hour) = (Self.start, Self.hour)
        let fleet = try await StoredFleet([try StoredFleet.host("a", ["x": "unknown"], at: start)])
        #expect(try await audit(fleet, at: start) == ["a bad unknown grace"])
        #expect(try await audit(fleet, at: start + 2 * hour) == ["a bad unknown open"])
        try await fleet.set(try StoredFleet.host("a", ["x": 1], at: start + 3 * hour))
        #expect(try await audit(fleet, at: start + 3 * hour) == ["a bad failing open"])
        #expect(try await fleet.store.openIssues().map(\.openedAt) == [start + 3 * hour])
        // Not to tell any more does not help: what was known stays.
        try await fleet.set(try StoredFleet.host("a", ["x": "unknown"], at: start + 4 * hour))
        #expect(try await audit(fleet, at: start + 4 * hour) == ["a bad failing open"])
    }

    @Test("linked hosts are spared while one of the person's reports, for a month at most")
    func linked() async throws {
        let (start, day) = (Self.start, Self.day)
        let fleet = try await StoredFleet(
            try ["a", "b", "c", "lone"].map { try StoredFleet.host($0, at: start) })
        try await fleet.store.setParameters(
            [
                HostParameter(hostname: try #require(Hostname("b")), name: "user_clients", values: ["a"]),
                HostParameter(hostname: try #require(Hostname("c")), name: "user_clients", values: ["b"]),
            ], at: start)
        try await fleet.set(try StoredFleet.host("c", at: start + 9 * day))
        // A group, not a star: a and c are linked over b.
        #expect(try await audit(fleet, at: start + 9 * day) == ["lone silent failing open"])
        try await fleet.set(try StoredFleet.host("c", at: start + 32 * day))
        #expect(
            try await audit(fleet, at: start + 32 * day) == [
                "a silent failing open", "b silent failing open", "lone silent failing open",
            ])
    }

    @Test("after the servers stood still nobody is silent who could not report")
    func standstill() async throws {
        let (start, day, hour) = (Self.start, Self.day, Self.hour)
        let fleet = try await StoredFleet(
            try [("a", start), ("gone", start - 20 * hour)].map { try StoredFleet.host($0.0, at: $0.1) })
        try await fleet.store.apply(records: [
            .put(.presence, ServerPresence.record(server: "s", from: start - 10 * day, to: start)),
            .put(
                .presence,
                ServerPresence.record(server: "t", from: start + 3 * day, to: start + 3 * day + hour)),
        ])
        #expect(try await audit(fleet, at: start + 3 * day + hour) == [])
        // Four more hours make a day of silence for the one, not for the other.
        try await fleet.store.apply(records: [
            .put(
                .presence,
                ServerPresence.record(server: "t", from: start + 3 * day, to: start + 3 * day + 5 * hour))
        ])
        #expect(try await audit(fleet, at: start + 3 * day + 5 * hour) == ["gone silent failing open"])
    }

    @Test("an exemption is quiet with its reason, and ends")
    func exemption() async throws {
        let (start, day) = (Self.start, Self.day)
        let fleet = try await StoredFleet([try StoredFleet.host("a", ["x": 1], at: start)])
        _ = try await audit(fleet, at: start)
        let desk = desk(fleet, at: start)
        try await desk.exempt(try await targets(desk, "a"), until: start + 30 * day, reason: "lab machine")
        let report = try await Audit.run(store: fleet.store, checks: checks, at: start + 1)
        #expect(report.findings.map(\.state) == [.exempt])
        #expect(report.findings.first?.silence?.reason == "lab machine")
        #expect(try await audit(fleet, at: start + 30 * day).contains("a bad failing open"))
    }
}
