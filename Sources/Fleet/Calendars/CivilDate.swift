/// A day as a calendar on the wall shows it.
package struct CivilDate: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// Days since 1970-01-01; negative before.
    package let number: Int

    /// The day of that number.
    package init(number: Int) { self.number = number }

    /// The day of that date in the Gregorian calendar; nothing where there is no such day.
    package init?(year: Int, month: Int, day: Int) {
        guard (1...9999).contains(year), (1...12).contains(month), (1...31).contains(day) else { return nil }
        // Howard Hinnant, "chrono-compatible low-level date algorithms": years begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let era = shifted / 400
        let yearOfEra = shifted - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        number = era * 146_097 + dayOfEra - 719_468
        guard parts == (year, month, day) else { return nil }
    }

    /// Reads `2026-12-25` or, as iCalendar writes it, `20261225`.
    package init?(_ text: some StringProtocol) {
        var digits = Array(text.utf8)
        if digits.count == 10, digits[4] == UInt8(ascii: "-"), digits[7] == UInt8(ascii: "-") {
            digits.remove(at: 7)
            digits.remove(at: 4)
        }
        guard digits.count == 8, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let number = digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
        self.init(year: number / 10_000, month: number / 100 % 100, day: number % 100)
    }

    /// Year, month and day.
    package var parts: (year: Int, month: Int, day: Int) {
        let shifted = number + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthIndex = (5 * dayOfYear + 2) / 153
        let month = monthIndex < 10 ? monthIndex + 3 : monthIndex - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * monthIndex + 2) / 5 + 1
        )
    }

    /// The day of the week.
    package var weekday: Weekday {
        Weekday.allCases[((number + 3) % 7 + 7) % 7]
    }

    /// The day so many days later.
    package func adding(days: Int) -> CivilDate { CivilDate(number: number + days) }

    package static func < (left: CivilDate, right: CivilDate) -> Bool { left.number < right.number }

    /// As ISO 8601 writes it: `2026-12-25`.
    package var description: String {
        let (year, month, day) = parts
        func two(_ number: Int) -> String { (number < 10 ? "0" : "") + String(number) }
        return
            "\(String(repeating: "0", count: max(0, 4 - String(year).count)))\(year)-\(two(month))-\(two(day))"
    }
}

/// A day of the week.
package enum Weekday: String, CaseIterable, Sendable {
    case monday, tuesday, wednesday, thursday, friday, saturday, sunday

    /// Reads `monday` or `mon`, in whatever case.
    package init?(_ text: String) {
        let text = text.lowercased()
        guard let day = Self.allCases.first(where: { $0.rawValue == text || $0.rawValue.prefix(3) == text })
        else { return nil }
        self = day
    }
}
