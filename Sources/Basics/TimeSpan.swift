/// A span of time as people write it: `90s`, `30m`, `4h`, `1d12h`, `2w`, `3 days`.
public struct TimeSpan: Hashable, Sendable, CustomStringConvertible {
    /// Its length; never negative.
    public let milliseconds: Int64

    /// What an error tells people to write.
    public static let form = "a span of time such as 90s, 30m, 4h, 1d12h, 2w or 3 days"

    /// The units, the largest first: the letter that is written, and all words that are read.
    private static let units: [(letter: String, words: Set<Substring>, milliseconds: Int64)] = [
        ("w", ["w", "week", "weeks"], 604_800_000), ("d", ["d", "day", "days"], 86_400_000),
        ("h", ["h", "hour", "hours"], 3_600_000), ("m", ["m", "min", "minute", "minutes"], 60_000),
        ("s", ["s", "sec", "second", "seconds"], 1000),
    ]

    /// A span of that many milliseconds, none where it would be negative.
    public init(milliseconds: Int64) {
        self.milliseconds = max(0, milliseconds)
    }

    /// Reads whole numbers each with its unit, from the largest unit to the smallest, or a bare `0`. Spaces may stand
    /// between them.
    public init?(_ text: String) {
        if text == "0" {
            self.init(milliseconds: 0)
            return
        }
        var total: Int64 = 0
        var units = Self.units[...]
        var rest = text[...]
        guard !rest.isEmpty, rest.last != " " else { return nil }
        func take(while matches: (Character) -> Bool) -> Substring {
            let found = rest.prefix(while: matches)
            rest = rest.dropFirst(found.count)
            return found
        }
        while !rest.isEmpty {
            let digits = take { ("0"..."9").contains($0) }
            _ = take { $0 == " " }
            let word = take { ("a"..."z").contains($0) }
            guard let number = Int64(digits), let place = units.firstIndex(where: { $0.words.contains(word) })
            else { return nil }
            let (product, tooLong) = number.multipliedReportingOverflow(by: units[place].milliseconds)
            let (sum, overflow) = total.addingReportingOverflow(product)
            guard !tooLong, !overflow else { return nil }
            total = sum
            units = units[(place + 1)...]
            _ = take { $0 == " " }
        }
        self.init(milliseconds: total)
    }

    /// The span in whole units, without what is shorter than a second: `1d12h`.
    public var description: String {
        var text = ""
        var rest = milliseconds
        for (letter, _, length) in Self.units where rest >= length {
            text += "\(rest / length)\(letter)"
            rest %= length
        }
        return text.isEmpty ? "0" : text
    }
}
