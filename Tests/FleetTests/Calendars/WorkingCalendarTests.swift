import Foundation
import PDBasics
import PDStore
import Testing

@testable import PDFleet

@Suite("Working time")
struct WorkingCalendarTests {
    private static let newYork = WorkingCalendar.standard(zone: zone("America/New_York"))

    private static func zone(_ name: String) -> TimeZone { TimeZone(identifier: name) ?? .gmt }

    private static func moment(_ text: String) throws -> Int64 {
        let style = Date.ISO8601FormatStyle(timeZone: .gmt)
        return Int64(try style.parse(text + "Z").timeIntervalSince1970 * 1000)
    }

    /// A recorded calculation of the original.
    struct Recorded: Decodable, Sendable, CustomTestStringConvertible {
        let t1_utc: String
        let t2_utc: String
        let result_us: Int64?
        let note: String
        var testDescription: String { "\(t1_utc) to \(t2_utc): \(note)" }
    }

    /// A recorded search of the original.
    struct RecordedBack: Decodable, Sendable, CustomTestStringConvertible {
        let end_utc: String
        let delta_s: Double
        let result_utc: String?
        let note: String
        var testDescription: String { "\(delta_s) s before \(end_utc): \(note)" }
    }

    private static func recorded<T: Decodable>(_ name: String, _ type: T.Type) -> [T] {
        let file = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "../../../vectors/v1/business_hours/\(name)")
        do { return try JSONDecoder().decode([T].self, from: Data(contentsOf: file)) } catch {
            Issue.record("cannot read \(file.path): \(error)")
            return []
        }
    }

    /// Whether the zone's clock changes between the two: the original keeps the first one's offset, and is an hour off.
    private static func clockChanges(_ from: Int64, _ to: Int64) -> Bool {
        func offset(_ moment: Int64) -> Int {
            newYork.zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment) / 1000))
        }
        return offset(from) != offset(to)
    }

    @Test(
        "Working time is what the original counted, to the minute",
        arguments: recorded("business_hours.json", Recorded.self))
    func counts(_ recorded: Recorded) throws {
        let (from, to) = (try Self.moment(recorded.t1_utc), try Self.moment(recorded.t2_utc))
        guard let expected = recorded.result_us.map({ $0 / 1000 }) else { return }
        let found = Self.newYork.workingTime(from: from, to: to)
        // The original goes from minute to minute, and so is less than one off; ours is exact.
        #expect(abs(found - expected) < (Self.clockChanges(from, to) ? 3_660_000 : 60_000))
    }

    @Test(
        "The moment before which so much work lies has it",
        arguments: recorded("business_hours_back.json", RecordedBack.self))
    func goesBack(_ recorded: RecordedBack) throws {
        let end = try Self.moment(recorded.end_utc)
        // A day of a span is a working day of eight hours: the original divides by three.
        let span = Self.newYork.working(TimeSpan(milliseconds: Int64(recorded.delta_s * 1000)))
        let found = Self.newYork.moment(before: end, working: span)
        #expect(Self.newYork.workingTime(from: found, to: end) == span)
        guard let result = try recorded.result_utc.map(Self.moment), !Self.clockChanges(result, end) else {
            return
        }
        // Where nobody works for a while, any moment of it will do; the original's search ends within a minute.
        #expect(abs(Self.newYork.workingTime(from: result, to: end) - span) <= 60_000)
        #expect(abs(Self.newYork.workingTime(from: min(result, found), to: max(result, found))) <= 60_000)
    }

    @Test(
        "A day on which the clock changes has the hours that its clock shows",
        arguments: [
            // Spring: Sunday 2026-03-08 loses an hour, which is not worked anyway; a night shift loses it.
            ("2026-03-06T20:00:00", "2026-03-09T15:00:00", "9-17", 2.0 + 2.0),
            ("2026-03-07T05:00:00", "2026-03-09T04:00:00", "0-24", 47.0),
            ("2026-10-31T04:00:00", "2026-11-02T05:00:00", "0-24", 49.0),
            ("2026-03-08T05:00:00", "2026-03-09T04:00:00", "1:30-3:30", 1.0),
            ("2026-11-01T04:00:00", "2026-11-02T05:00:00", "0:30-3:30", 4.0),
        ])
    func clockChange(from: String, to: String, hours: String, expected: Double) throws {
        let calendar = WorkingCalendar(
            zone: Self.zone("America/New_York"),
            days: hours == "9-17" ? Self.newYork.days : Set(Weekday.allCases),
            hours: [try #require(WorkingCalendar.Hours(hours))], holidays: [])
        let found = calendar.workingTime(from: try Self.moment(from), to: try Self.moment(to))
        #expect(found == Int64(expected * 3_600_000))
    }

    @Test("Holidays are not worked, and forward is the way back")
    func holidays() throws {
        let christmas = try #require(CivilDate("2026-12-25"))
        let calendar = WorkingCalendar(
            zone: Self.zone("Europe/Berlin"), days: Self.newYork.days, hours: Self.newYork.hours,
            holidays: [christmas])
        let thursday = try Self.moment("2026-12-24T15:00:00")
        let later = calendar.moment(after: thursday, working: 2 * 3_600_000)
        #expect(later == (try Self.moment("2026-12-28T09:00:00")))
        #expect(calendar.moment(before: later, working: 2 * 3_600_000) == thursday)
        #expect(!calendar.isOpen(at: try Self.moment("2026-12-25T10:00:00")))
        #expect(
            calendar.nextOpening(from: try Self.moment("2026-12-25T10:00:00"))
                == (try Self.moment("2026-12-28T08:00:00")))
    }

    @Test(
        "Every calculation ends, however far the moments lie apart and however little is worked",
        arguments: [Int64.min, -1, 0, 1 << 40, Int64.max], [Int64.min, 0, Int64.max])
    func ends(_ moment: Int64, other: Int64) {
        for days: Set<Weekday> in [[], [.monday]] {
            let calendar = WorkingCalendar(
                zone: Self.zone("America/New_York"), days: days, hours: Self.newYork.hours, holidays: [])
            _ = calendar.workingTime(from: moment, to: other)
            _ = calendar.moment(before: moment, working: .max)
            _ = calendar.moment(after: moment, working: .max)
            _ = calendar.isOpen(at: moment)
            if days.isEmpty { #expect(calendar.nextOpening(from: moment) == nil) }
        }
        // The one that did not end in the original.
        #expect(Self.newYork.moment(before: 1_730_755_800_000, working: 8 * 3_600_000) == 1_730_493_000_000)
    }

    @Test(
        "Dates are those of the calendar",
        arguments: ["1970-01-01", "2024-02-29", "2000-02-29", "1600-12-31", "9999-12-31"])
    func dates(_ text: String) throws {
        #expect(try #require(CivilDate(text)).description == text)
        #expect(CivilDate("2026-11-28")?.weekday == .saturday && CivilDate(number: -3).weekday == .monday)
    }

    @Test(
        "What is no date, or no hours, is none",
        arguments: ["2023-02-29", "2024-13-01", "2024-00-10", "20240132", "2024-1-1", "", "abcdefgh"])
    func noDate(_ text: String) {
        #expect(CivilDate(text) == nil)
        for hours in ["", "9", "17-9", "9-9", "9-25", "9:60-10", "a-b", "9-17-18", "-1-5"] {
            #expect(WorkingCalendar.Hours(hours) == nil)
        }
    }
}

@Suite("Holidays of an iCalendar file")
struct HolidayFileTests {
    private func calendar(_ event: String) -> String {
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\n\(event)\r\nSUMMARY:A \r\n day\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    }

    @Test(
        "Whole days are read",
        arguments: [
            ("DTSTART;VALUE=DATE:20261225", ["2026-12-25"]),
            ("DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227", ["2026-12-25", "2026-12-26"]),
            ("DTSTART;VALUE=DATE:20261231\r\nDURATION:P2D", ["2026-12-31", "2027-01-01"]),
            ("DTSTART;VALUE=DA\r\n TE:20261225", ["2026-12-25"]),
            ("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;COUNT=2", ["2026-12-25", "2027-12-25"]),
            ("DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;UNTIL=20271224T000000Z", ["2026-12-25"]),
            (
                "DTSTART;VALUE=DATE:20261225\r\nRRULE:FREQ=YEARLY;INTERVAL=2;COUNT=2\r\nEXDATE;VALUE=DATE:20281225",
                ["2026-12-25"]
            ),
            ("DTSTART:20261225T100000Z\r\nDTEND:20261225T110000Z", []),
        ])
    func days(event: String, expected: [String]) throws {
        #expect(try HolidayFile.days(of: calendar(event)).sorted().map(\.description) == expected)
    }

    @Test(
        "What cannot be understood is said, with its line",
        arguments: [
            "", "hello", "BEGIN:VEVENT", "BEGIN:VCALENDAR\nBEGIN:VEVENT",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\nRRULE:FREQ=WEEKLY\nEND:VEVENT",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\nDTEND:20261225\nEND:VEVENT",
            "BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\nDURATION:PT1H\nEND:VEVENT",
        ])
    func refused(_ text: String) {
        #expect(throws: HolidayFile.Failure.self) { try HolidayFile.days(of: text) }
    }
}
