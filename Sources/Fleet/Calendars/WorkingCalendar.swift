import Foundation
import PDBasics
import PDStore

/// When people work: on which days of the week, from when to when, in which zone, and on which days not.
///
/// Spans of time that count by a calendar count its working time alone, and a day of such a span is one of its working
/// days: with eight hours a day, `1d` and `24h` are eight hours of work, `3h` is one.
///
/// Every calculation ends in bounded time: none looks further than ``horizon`` days.
package struct WorkingCalendar: Sendable, Equatable {
    /// A part of a day, in minutes after midnight.
    package struct Hours: Sendable, Equatable {
        /// When it begins.
        package let start: Int
        /// When it ends; at most 1440.
        package let end: Int

        /// A part that is not empty; nothing otherwise.
        package init?(start: Int, end: Int) {
            guard 0 <= start, start < end, end <= 1440 else { return nil }
            self.start = start
            self.end = end
        }

        /// Reads `9-17`, `9:00-17:30` or `00:00-24:00`.
        package init?(_ text: String) {
            let parts = text.split(separator: "-", omittingEmptySubsequences: false)
            guard parts.count == 2, let start = Self.minutes(parts[0]), let end = Self.minutes(parts[1])
            else {
                return nil
            }
            self.init(start: start, end: end)
        }

        private static func minutes(_ text: Substring) -> Int? {
            let parts = text.trimming(while: { $0 == " " }).split(
                separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2,
                parts.allSatisfy({
                    !$0.isEmpty && $0.utf8.count <= 2 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) }
                }),
                let hour = parts.first.flatMap({ Int($0) }), hour <= 24
            else { return nil }
            let minute = parts.count == 2 ? Int(parts[1]) ?? 60 : 0
            return minute < 60 ? hour * 60 + minute : nil
        }
    }

    /// How many days a calculation looks at, at most: 50 years. What lies further away counts as that far.
    package static let horizon = 18_263

    /// Monday to Friday, 9 to 17, in that zone.
    package static func standard(zone: TimeZone) -> WorkingCalendar {
        WorkingCalendar(
            zone: zone, days: [.monday, .tuesday, .wednesday, .thursday, .friday],
            hours: Hours(start: 540, end: 1020).map { [$0] } ?? [], holidays: [])
    }

    /// The zone whose clock the hours are read on.
    package let zone: TimeZone
    /// The days on which people work.
    package let days: Set<Weekday>
    /// From when to when, in their order, without overlap.
    package let hours: [Hours]
    /// Days on which nobody works.
    package let holidays: Set<CivilDate>

    package init(zone: TimeZone, days: Set<Weekday>, hours: [Hours], holidays: Set<CivilDate>) {
        self.zone = zone
        self.days = days
        self.hours = hours.sorted { $0.start < $1.start }
        self.holidays = holidays
    }

    // MARK: Spans

    /// How long a span is in working time, in milliseconds: a day of it is a working day.
    package func working(_ span: TimeSpan) -> Int64 {
        let minutes = Int64(hours.reduce(0) { $0 + $1.end - $1.start })
        let (days, rest) = span.milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        let (whole, overflow) = days.multipliedReportingOverflow(by: minutes * 60_000)
        return overflow ? .max : whole + rest * minutes / 1440
    }

    /// The working time from one moment to another, in milliseconds; nothing where the second is not later.
    package func workingTime(from: Int64, to: Int64) -> Int64 {
        var total: Int64 = 0
        walk(backFrom: to) { interval in
            guard interval.upperBound > from else { return false }
            total += max(0, min(interval.upperBound, to) - max(interval.lowerBound, from))
            return true
        }
        return total
    }

    /// The latest moment from which on so much working time lies before `end`, all in milliseconds since 1970-01-01 UTC.
    package func moment(before end: Int64, working span: Int64) -> Int64 {
        guard span > 0 else { return end }
        var rest = span
        var result = end.subtractingReportingOverflow(Int64(Self.horizon) * 86_400_000).partialValue
        walk(backFrom: end) { interval in
            let length = min(interval.upperBound, end) - interval.lowerBound
            guard length > 0 else { return true }
            if length >= rest {
                result = interval.lowerBound + (length - rest)
                return false
            }
            rest -= length
            return true
        }
        return result
    }

    /// The first moment at which so much working time has passed since `start`.
    package func moment(after start: Int64, working span: Int64) -> Int64 {
        guard span > 0 else { return nextOpening(from: start) ?? start }
        var rest = span
        var result = start.addingReportingOverflow(Int64(Self.horizon) * 86_400_000).partialValue
        walk(forwardFrom: start) { interval in
            let length = interval.upperBound - max(interval.lowerBound, start)
            guard length > 0 else { return true }
            if length >= rest {
                result = max(interval.lowerBound, start) + rest
                return false
            }
            rest -= length
            return true
        }
        return result
    }

    /// Whether people work at that moment.
    package func isOpen(at moment: Int64) -> Bool {
        intervals(of: localDay(moment)).contains { $0.contains(moment) }
    }

    /// That moment where people work then, otherwise the next at which they begin; nothing where they never do.
    package func nextOpening(from moment: Int64) -> Int64? {
        var found: Int64?
        walk(forwardFrom: moment) { interval in
            guard interval.upperBound > moment else { return true }
            found = max(moment, interval.lowerBound)
            return false
        }
        return found
    }

    // MARK: Days

    private func walk(backFrom moment: Int64, _ body: (Range<Int64>) -> Bool) {
        let first = localDay(moment)
        for back in 0...Self.horizon {
            for interval in intervals(of: first.adding(days: -back)).reversed() {
                guard body(interval) else { return }
            }
        }
    }

    private func walk(forwardFrom moment: Int64, _ body: (Range<Int64>) -> Bool) {
        let first = localDay(moment)
        for days in 0...Self.horizon {
            for interval in intervals(of: first.adding(days: days)) {
                guard body(interval) else { return }
            }
        }
    }

    /// The working time of a day, in milliseconds since 1970-01-01 UTC.
    private func intervals(of day: CivilDate) -> [Range<Int64>] {
        guard days.contains(day.weekday), !holidays.contains(day) else { return [] }
        return hours.compactMap { hours in
            let (start, end) = (moment(day, hours.start), moment(day, hours.end))
            // A clock that is put forward may leave nothing of it.
            return start < end ? start..<end : nil
        }
    }

    /// The moment at which the clock of the zone shows that time; where it never does, as if it had not been put
    /// forward; where it does twice, the first.
    private func moment(_ day: CivilDate, _ minutes: Int) -> Int64 {
        let local = (Int64(day.number) * 1440 + Int64(minutes)) * 60_000
        let before = offset(local - 86_400_000)
        let after = offset(local + 86_400_000)
        for candidate in [local - before, local - after] where candidate + offset(candidate) == local {
            return candidate
        }
        return local - before
    }

    private func localDay(_ moment: Int64) -> CivilDate {
        let bounded = min(max(moment, -60_000_000_000_000), 250_000_000_000_000)
        return CivilDate(number: Int((Double(bounded + offset(bounded)) / 86_400_000).rounded(.down)))
    }

    private func offset(_ moment: Int64) -> Int64 {
        Int64(zone.secondsFromGMT(for: Date(timeIntervalSince1970: Double(moment) / 1000))) * 1000
    }
}

extension Substring {
    fileprivate func trimming(while unwanted: (Character) -> Bool) -> Substring {
        var text = drop(while: unwanted)
        while let last = text.last, unwanted(last) { text.removeLast() }
        return text
    }
}
