/// A set of port numbers.
struct PortSet: Equatable, Hashable {
    /// In their order, with gaps between them.
    private(set) var ranges: [ClosedRange<Int>]

    static let all = PortSet(0...65_535)
    static let none = PortSet([])

    init(_ range: ClosedRange<Int>) {
        ranges = [range]
    }

    init(_ ranges: some Sequence<ClosedRange<Int>>) {
        self.ranges = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = self.ranges.last, range.lowerBound <= last.upperBound + 1 {
                self.ranges[self.ranges.count - 1] =
                    last.lowerBound...max(last.upperBound, range.upperBound)
            } else {
                self.ranges.append(range)
            }
        }
    }

    var isEmpty: Bool { ranges.isEmpty }

    var count: Int { ranges.reduce(0) { $0 + $1.count } }

    /// Whether next to nothing is missing: a few ports that are kept out make no firewall.
    var isNextToAll: Bool { count >= 65_536 - 512 }

    func union(_ other: PortSet) -> PortSet {
        PortSet(ranges + other.ranges)
    }

    func intersection(_ other: PortSet) -> PortSet {
        var result: [ClosedRange<Int>] = []
        for range in ranges {
            for second in other.ranges where range.overlaps(second) {
                result.append(range.clamped(to: second))
            }
        }
        return PortSet(result)
    }

    func subtracting(_ other: PortSet) -> PortSet {
        intersection(other.complement)
    }

    var complement: PortSet {
        var result: [ClosedRange<Int>] = []
        var next = 0
        for range in ranges {
            if next < range.lowerBound { result.append(next...(range.lowerBound - 1)) }
            next = range.upperBound + 1
        }
        if next <= 65_535 { result.append(next...65_535) }
        return PortSet(result)
    }

    /// Such as `22, 1025-65535`.
    var text: String {
        if self == .all { return "all" }
        return ranges.map { $0.count == 1 ? "\($0.lowerBound)" : "\($0.lowerBound)-\($0.upperBound)" }
            .joined(separator: ", ")
    }
}
