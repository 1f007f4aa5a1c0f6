/// The holidays of an iCalendar file (RFC 5545), as offices and calendar programs hand them out.
package enum HolidayFile {
    /// What is wrong with a file.
    package struct Failure: Error, Equatable, CustomStringConvertible {
        /// The line at fault, the first one being 1.
        package let line: Int
        /// What is wrong.
        package let reason: String
        package var description: String { "line \(line): \(reason)" }
    }

    /// How many years are looked at where an event recurs without an end.
    private static let years = 1970...2100

    /// The days of all events that last whole days. Events with a time of day are none that the office is closed on, and
    /// are passed over. Yearly recurrence is understood (`FREQ=YEARLY`, `INTERVAL`, `COUNT`, `UNTIL`, `EXDATE`).
    package static func days(of text: String) throws(Failure) -> Set<CivilDate> {
        var days: Set<CivilDate> = []
        var event: Event?
        var begun = false
        for (number, line) in unfolded(text) {
            func failure(_ reason: String) -> Failure { Failure(line: number, reason: reason) }
            guard let colon = colon(in: line) else {
                throw failure("no iCalendar line: NAME:VALUE is wanted")
            }
            let head = line[..<colon].split(separator: ";")
            let value = line[line.index(after: colon)...]
            switch (head.first ?? "").uppercased() {
            case "BEGIN" where value.uppercased() == "VCALENDAR": begun = true
            case "BEGIN" where value.uppercased() == "VEVENT":
                guard event == nil else { throw failure("an event within an event") }
                event = Event()
            case "END" where value.uppercased() == "VEVENT":
                guard let ended = event else { throw failure("the end of an event that has not begun") }
                do { days.formUnion(try ended.days()) } catch { throw failure(error.reason) }
                event = nil
            case "DTSTART": event?.start = CivilDate(value)
            case "DTEND": event?.end = CivilDate(value)
            case "DURATION": event?.duration = String(value)
            case "RRULE": event?.rule = String(value)
            case "EXDATE":
                event?.exceptions.formUnion(value.split(separator: ",").compactMap { CivilDate($0) })
            default: break
            }
            guard begun else { throw failure("no iCalendar file: BEGIN:VCALENDAR is wanted first") }
        }
        guard begun else { throw Failure(line: 1, reason: "the file is empty") }
        guard event == nil else { throw Failure(line: 1, reason: "the file ends within an event") }
        return days
    }

    /// Long lines are folded: what begins with white space goes on the line before (RFC 5545, section 3.1).
    private static func unfolded(_ text: String) -> [(Int, String)] {
        var lines: [(Int, String)] = []
        for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
            .enumerated()
        {
            if let first = line.first, first == " " || first == "\t", !lines.isEmpty {
                lines[lines.count - 1].1 += line.dropFirst()
            } else if !line.allSatisfy(\.isWhitespace) {
                lines.append((index + 1, String(line.first == "\u{FEFF}" ? line.dropFirst() : line)))
            }
        }
        return lines
    }

    /// The colon that ends the name and its parameters; one in quotation marks belongs to a parameter.
    private static func colon(in line: String) -> String.Index? {
        var quoted = false
        for index in line.indices {
            if line[index] == "\"" { quoted.toggle() }
            if line[index] == ":", !quoted { return index }
        }
        return nil
    }

    private struct Event {
        struct Fault: Error { let reason: String }

        var start: CivilDate?
        var end: CivilDate?
        var duration: String?
        var rule: String?
        var exceptions: Set<CivilDate> = []

        func days() throws(Fault) -> Set<CivilDate> {
            guard let start else { return [] }
            var length = 1
            if let end { length = end.number - start.number }
            if let duration {
                guard duration.hasPrefix("P"), duration.hasSuffix("D"),
                    let days = Int(duration.dropFirst().dropLast())
                else { throw Fault(reason: "the duration \(duration) is not one of whole days") }
                length = days
            }
            guard (1...366).contains(length) else {
                throw Fault(reason: "an event of \(length) days is no holiday")
            }
            var days: Set<CivilDate> = []
            for first in try starts(start) where !exceptions.contains(first) {
                for day in 0..<length { days.insert(first.adding(days: day)) }
            }
            return days
        }

        private func starts(_ start: CivilDate) throws(Fault) -> [CivilDate] {
            guard let rule else { return [start] }
            var parts: [String: String] = [:]
            for part in rule.uppercased().split(separator: ";") {
                let pair = part.split(separator: "=", maxSplits: 1)
                guard pair.count == 2 else { throw Fault(reason: "the recurrence \(rule) cannot be read") }
                parts[String(pair[0])] = String(pair[1])
            }
            let (year, month, day) = start.parts
            let known: Set = ["FREQ", "INTERVAL", "COUNT", "UNTIL", "WKST", "BYMONTH", "BYMONTHDAY"]
            guard parts["FREQ"] == "YEARLY", Set(parts.keys).isSubset(of: known),
                parts["BYMONTH"].map({ Int($0) == month }) ?? true,
                parts["BYMONTHDAY"].map({ Int($0) == day }) ?? true
            else {
                throw Fault(
                    reason:
                        "the recurrence \(rule) is not understood, only a yearly one on the same date: write each date"
                )
            }
            guard let interval = Int(parts["INTERVAL"] ?? "1"), interval > 0,
                let count = Int(parts["COUNT"] ?? "\(Int.max)"), count > 0
            else { throw Fault(reason: "the recurrence \(rule) cannot be read") }
            var last = years.upperBound
            if let until = parts["UNTIL"] {
                guard let date = CivilDate(until.prefix(8)) else {
                    throw Fault(reason: "the end \(until) is no date")
                }
                last = min(
                    last,
                    date < CivilDate(year: date.parts.year, month: month, day: min(day, 28)) ?? date
                        ? date.parts.year - 1 : date.parts.year)
            }
            guard year <= last else { return [] }
            return stride(from: year, through: last, by: interval).prefix(count).compactMap {
                CivilDate(year: $0, month: month, day: day)
            }
        }
    }
}
