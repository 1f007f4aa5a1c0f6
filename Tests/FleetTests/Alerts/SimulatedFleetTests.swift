import Foundation
import PDBasics
import PDDocument
import PDProtocol
import PDStore
import Testing

@testable import PDFleet

/// Fifty machines of an office in Berlin, for sixty days from Monday, 28 September 2026 on: reports at 9, 13 and 17 o'clock on
/// working days, an audit and a round of alerts each hour. On 25 October the clocks go back.
@Suite("A fleet over sixty days")
struct SimulatedFleetTests {
    private static let hour: Int64 = 3_600_000
    private static let hostCount = 50
    private static let dayCount = 60

    private static let checks = """
        calendars:
          working: {zone: Europe/Berlin, holidays: [2026-10-05, 2026-11-02]}
        checks:
          - {name: not-reporting, title: Silent, query: {submitted_at: {$lt: {$ago: 1d}}}, grace_period: 4h, alert_frequency: 1d}
          - {name: disk, title: Disk, query: {disk: "off"}, severity: critical, alert_frequency: 1d}
          - {name: firewall, title: Firewall, query: {firewall: "off"}, severity: high, grace_period: 4h, alert_frequency: 1d}
          - {name: login, title: Login, query: {login: true}, alert_frequency: 1d}
          - {name: reboot, title: Reboot, query: {reboot: true}, severity: low, grace_period: 5d, alert_frequency: 1d, tell: [owner]}
        """
    private static let settings = """
        port: 8080
        alerts: {owners: true, channels: {it: {mail: [it@example.com]}}}
        """

    /// What a machine reports, from a moment on.
    private struct Change {
        let host: Int
        let from: String
        let fields: Document
    }

    private static let changes = [
        // The firewall is off from a Wednesday's noon to Friday's.
        Change(host: 7, from: "09-30 13:00", fields: ["firewall": "off"]),
        Change(host: 7, from: "10-02 13:00", fields: [:]),
        // A check without a grace period that flaps with nearly every report of three days.
        Change(host: 12, from: "10-06 09:00", fields: ["login": true]),
        Change(host: 12, from: "10-06 13:00", fields: [:]),
        Change(host: 12, from: "10-06 17:00", fields: ["login": true]),
        Change(host: 12, from: "10-07 09:00", fields: [:]),
        Change(host: 12, from: "10-07 13:00", fields: ["login": true]),
        Change(host: 12, from: "10-07 17:00", fields: [:]),
        Change(host: 12, from: "10-08 09:00", fields: ["login": true]),
        Change(host: 12, from: "10-08 13:00", fields: [:]),
        // One with a grace period that flaps faster than that.
        Change(host: 13, from: "10-06 09:00", fields: ["firewall": "off"]),
        Change(host: 13, from: "10-06 13:00", fields: [:]),
        Change(host: 13, from: "10-06 17:00", fields: ["firewall": "off"]),
        Change(host: 13, from: "10-07 09:00", fields: [:]),
        // A disk that stays as it is: snoozed for a week, then exempt.
        Change(host: 20, from: "10-12 09:00", fields: ["disk": "off"]),
        // Somebody works on a holiday, and switches the firewall off until the day after the next.
        Change(host: 1, from: "11-02 09:00", fields: ["firewall": "off"]),
        Change(host: 1, from: "11-04 09:00", fields: [:]),
        // Something critical on a Saturday morning, until Monday.
        Change(host: 40, from: "11-07 09:00", fields: ["disk": "off"]),
        Change(host: 40, from: "11-09 09:00", fields: [:]),
        // An update wants a restart: the machines of three people, of whom one restarts hers in time.
        Change(host: 2, from: "11-09 09:00", fields: ["reboot": true]),
        Change(host: 3, from: "11-09 09:00", fields: ["reboot": true]),
        Change(host: 4, from: "11-09 09:00", fields: ["reboot": true]),
        Change(host: 5, from: "11-09 09:00", fields: ["reboot": true]),
        Change(host: 5, from: "11-12 09:00", fields: [:]),
        Change(host: 2, from: "11-17 13:00", fields: [:]),
        Change(host: 3, from: "11-17 13:00", fields: [:]),
        Change(host: 4, from: "11-17 13:00", fields: [:]),
        // While no mail leaves the house, one thing comes and goes and another comes.
        Change(host: 8, from: "11-18 09:00", fields: ["login": true]),
        Change(host: 8, from: "11-19 09:00", fields: [:]),
        Change(host: 9, from: "11-19 09:00", fields: ["login": true]),
        Change(host: 9, from: "11-20 17:00", fields: [:]),
    ]

    /// What is told to whom, in Berlin's time: by hand from the changes above. A working day has eight hours, so that a grace
    /// period of four hours, a sixth of a day, is 80 minutes of work. What is over is told with the next message.
    private static let expected = [
        // Opened on Wednesday at 13:00, and again after a working day.
        "09-30 15:00 it firewall: host-07",
        "10-01 15:00 it firewall: host-07 again",
        // At once; by Friday's report the firewall is on. The flapping firewall of host-13 is past its grace period at
        // 10:20, but a mail a day is enough, and by the next it is over.
        "10-06 09:00 it login: host-12; firewall over: host-07",
        // A working day is over on Wednesday at 9:00, when the check does not find it; at 13:00 it does, for the third time.
        "10-07 13:00 it login: host-12 x2 again",
        // On Thursday it is gone before a working day is over.
        "10-12 09:00 it disk: host-20; login over: host-12",
        // The snooze ends; in the next hour an exemption begins.
        "10-19 10:00 it disk: host-20 again",
        // From the 20th at noon to the 23rd at noon no server runs: nothing is told of fifty hosts that could not report.
        // The clocks have gone back when a machine falls silent on the 26th at 17:00. That is a working day when the 27th
        // ends; 80 minutes into the 28th it is told.
        "10-28 11:00 it not-reporting: host-30",
        "10-29 11:00 it not-reporting: host-30 again",
        // The grace period begins after the holiday.
        "11-03 11:00 it firewall: host-01; not-reporting over: host-30",
        // What is critical is told on a Saturday too, and not again before a working day is over.
        "11-07 09:00 it disk: host-40; firewall over: host-01",
        // Five working days after the 9th. Anna has two machines, and Cora has restarted hers.
        "11-16 09:00 owner:anna@example.com reboot: host-02, host-03",
        "11-16 09:00 owner:bert@example.com reboot: host-04",
        "11-17 09:00 owner:anna@example.com reboot: host-02 again, host-03 again",
        "11-17 09:00 owner:bert@example.com reboot: host-04 again",
        // Mail is broken from the 18th at 8:00 to the 19th at 15:30. The attempt that succeeds would be at 19:00: one mail at
        // the next beginning of work tells all that was missed.
        "11-20 09:00 it login: host-08 over, host-09; disk over: host-40",
    ]

    @Test("what is told is exactly what was to be told, and nobody gets more than a mail a working day")
    func sixtyDays() async throws {
        var calendar = Calendar(identifier: .gregorian)
        let berlin = try #require(TimeZone(identifier: "Europe/Berlin"))
        calendar.timeZone = berlin
        func moment(_ text: String) throws -> Int64 {
            let parts = text.split { !$0.isNumber }.compactMap { Int($0) }
            let date = DateComponents(
                year: 2026, month: parts[0], day: parts[1], hour: parts[2], minute: parts[3])
            return Int64(try #require(calendar.date(from: date)).timeIntervalSince1970) * 1000
        }
        func name(_ host: Int) -> String { "host-\(host < 10 ? "0" : "")\(host)" }
        let start = try moment("09-28 00:00")
        let end = start + Int64(Self.dayCount) * 24 * Self.hour
        let stored = try await StoredFleet(
            try (0..<Self.hostCount).map { try StoredFleet.host(name($0), at: start - 9 * Self.hour) })
        let fleet = try stored.opened(checks: Self.checks, settings: Self.settings)
        let checks = try CheckFile.read(fleet.state.checksFile)
        let working = try #require(checks.calendars["working"])
        try await fleet.store.setParameters(
            try [(2, "anna"), (3, "anna"), (4, "bert"), (5, "cora")].map {
                HostParameter(
                    hostname: try #require(Hostname(name($0.0))), name: "user_email",
                    values: ["\($0.1)@example.com"])
            }, at: start)

        let recorder = RecordedDelivery()
        let alerting = Alerting(store: fleet.store, settings: fleet.settings.alerts, checks: checks)
        let changes = try Self.changes.map { (try moment($0.from), $0) }
        var fields = [Int: Document]()
        let still = try moment("10-20 12:00")..<moment("10-23 12:00")
        let silentFrom = try moment("10-26 17:00") + 1
        let silentTo = try moment("10-30 09:00")
        let mailIsBroken = try moment("11-18 08:00")..<moment("11-19 15:30")
        for now in stride(from: start, to: end, by: Int(Self.hour)) {
            let local = calendar.dateComponents(
                [.hour], from: Date(timeIntervalSince1970: Double(now) / 1000))
            var reporting: Set<Int> = []
            for (at, change) in changes where at == now {
                fields[change.host] = change.fields
                reporting.insert(change.host)
            }
            // A server that stands still takes no reports; machines try again when it is back.
            guard !still.contains(now) else { continue }
            let isAtWork =
                [9, 13, 17].contains(local.hour ?? 0)
                && working.isOpen(at: now - 1 + (local.hour == 9 ? 1 : 0))
            if isAtWork || now == still.upperBound { reporting.formUnion(0..<Self.hostCount) }
            if (silentFrom..<silentTo).contains(now) { reporting.remove(30) }
            for host in reporting.sorted() {
                try await stored.set(try StoredFleet.host(name(host), fields[host] ?? [:], at: now))
            }
            try await decide(now, moment, fleet, checks)
            // One process up to the standstill, another from then on.
            let isFirst = now < still.lowerBound
            try await fleet.store.apply(records: [
                .put(
                    .presence,
                    ServerPresence.record(
                        server: isFirst ? "one" : "two", from: isFirst ? start : still.upperBound, to: now))
            ])
            recorder.broken.withLock { $0 = mailIsBroken.contains(now) ? ["it"] : [] }
            _ = try #require(try await FleetAudit(fleet, holder: "test").run(at: now))
            _ = try await alerting.deliver(by: recorder, at: now, jitter: { 0 })
        }

        let format = DateFormatter()
        format.timeZone = berlin
        format.locale = Locale(identifier: "en_US_POSIX")
        format.dateFormat = "MM-dd HH:mm"
        let got = recorder.got.withLock { $0 }
        let told = got.map { entry in
            let when = format.string(from: Date(timeIntervalSince1970: Double(entry.at) / 1000))
            return "\(when) \(entry.channel) \(RecordedDelivery.text(entry.message))"
        }
        #expect(told == Self.expected)

        // Every working day, those without a mail too.
        let days = (0..<Self.dayCount).map {
            calendar.date(byAdding: .day, value: $0, to: Date(timeIntervalSince1970: Double(start) / 1000))
        }
        let mails = days.compactMap(\.self).filter { day in
            working.isOpen(at: Int64(day.timeIntervalSince1970) * 1000 + 12 * Self.hour)
        }.map { day in
            got.count {
                $0.channel == "it"
                    && calendar.isDate(Date(timeIntervalSince1970: Double($0.at) / 1000), inSameDayAs: day)
            }
        }
        #expect(mails.count > 35 && mails.sorted()[mails.count / 2] <= 1 && mails.allSatisfy { $0 <= 1 })
        // Nothing waits, and no finding is lost.
        #expect(try await fleet.store.records(.outbox).allSatisfy { $0.document["state"]?.string == "sent" })
        let open = try await Audit.standing(store: fleet.store, checks: checks, at: end)
        #expect(open.map { "\($0.subject.name) \($0.check.name) \($0.state)" } == ["host-20 disk exempt"])
    }

    /// What an administrator does meanwhile.
    private func decide(
        _ now: Int64, _ moment: (String) throws -> Int64, _ fleet: Fleet, _ checks: CheckSet
    ) async throws {
        let desk = IssueDesk(store: fleet.store, checks: checks, now: now, by: "anna")
        func targets() async throws -> [IssueDesk.Target] {
            try await desk.targets(
                hosts: try await desk.hosts(named: ["host-20"], where: nil), checks: ["disk"])
        }
        if now == (try moment("10-12 10:00")) {
            try await desk.snooze(
                try await targets(), until: try moment("10-19 10:00"), untilResolved: false, reason: "ordered"
            )
        }
        if now == (try moment("10-19 11:00")) {
            try await desk.exempt(
                try await targets(), until: try moment("12-31 00:00"), reason: "holds no data")
        }
    }
}
