/// A span of time as people write it: `90s`, `30m`, `4h`, `1d12h`, `2w`.
public struct TimeSpan: Equatable, Sendable, CustomStringConvertible {
    /// Its length; never negative.
    public let milliseconds: Int64

    /// What an error tells people to write.
    public static let form = "a span of time such as 90s, 30m, 4h, 2d, 1w or 1d12h"

    private static let units: [(letter: Character, milliseconds: Int64)] = [
        ("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000),
    ]

    /// A span of that many milliseconds, none where it would be negative.
    public init(milliseconds: Int64) {
        self.milliseconds = max(0, milliseconds)
    }

    /// Reads whole numbers each with its unit, from the largest unit to the smallest, or a bare `0`.
    public init?(_ text: String) {
        if text == "0" {
            self.init(milliseconds: 0)
            return
        }
        var total: Int64 = 0
        var units = Self.units[...]
        var rest = text[...]
        guard !rest.isEmpty else { return nil }
        while !rest.isEmpty {
            let digits = rest.prefix { ("0"..."9").contains($0) }
            rest = rest.dropFirst(digits.count)
            guard let number = Int64(digits), let letter = rest.popFirst(),
                let place = units.firstIndex(where: { $0.letter == letter })
            else { return nil }
            let (product, tooLong) = number.multipliedReportingOverflow(by: units[place].milliseconds)
            let (sum, overflow) = total.addingReportingOverflow(product)
            guard !tooLong, !overflow else { return nil }
            total = sum
            units = units[(place + 1)...]
        }
        self.init(milliseconds: total)
    }

    /// The span in whole units, without what is shorter than a second: `1d12h`.
    public var description: String {
        var text = ""
        var rest = milliseconds
        for (letter, length) in Self.units where rest >= length {
            text += "\(rest / length)\(letter)"
            rest %= length
        }
        return text.isEmpty ? "0" : text
    }
}
