import PDBasics
import PDDocument
import PDStore

/// From when to when the servers of a fleet ran. While none did, no host could report: that time counts against nobody.
package struct ServerPresence: Sendable, Equatable {
    /// How often a server says that it runs.
    package static let beat: Int64 = 300_000
    /// Shorter gaps are none: a restart, a busy machine.
    package static let tolerance: Int64 = 3 * beat

    /// The times in which no server ran, by time; each at least ``tolerance`` long.
    package let gaps: [Range<Int64>]

    /// What is known where no server ever said that it ran: nothing counts as a gap.
    package static let unknown = ServerPresence(runs: [], at: 0)

    /// - Parameters:
    ///   - runs: from when to when each server ran, in milliseconds since 1970-01-01 UTC.
    ///   - now: the clock; a gap may reach up to it.
    package init(runs: [Range<Int64>], at now: Int64) {
        var gaps: [Range<Int64>] = []
        var end: Int64?
        for run in runs.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = end, run.lowerBound - last >= Self.tolerance { gaps.append(last..<run.lowerBound) }
            end = max(end ?? run.upperBound, run.upperBound)
        }
        if let end, now - end >= Self.tolerance { gaps.append(end..<now) }
        self.gaps = gaps
    }

    /// Reads what servers wrote.
    package init(_ records: [StoredRecord], at now: Int64) {
        self.init(runs: records.compactMap(Self.run), at: now)
    }

    private static func run(_ record: StoredRecord) -> Range<Int64>? {
        guard record.id.hasPrefix(prefix), let from = record.document["from"]?.milliseconds,
            let to = record.document["to"]?.milliseconds, from <= to
        else { return nil }
        return from..<to
    }

    /// When a server last said that it runs.
    static func lastSeen(_ records: [StoredRecord]) -> Int64? {
        records.compactMap(run).map(\.upperBound).max()
    }

    private static let prefix = "run "

    /// What a server writes with each beat.
    package static func record(server: String, from: Int64, to: Int64) -> StoredRecord {
        StoredRecord(
            id: "\(prefix)\(RecordTime.name(from)) \(server)",
            document: ["from": .date(milliseconds: from), "to": .date(milliseconds: to)])
    }

    /// The latest moment since which a host had that long to report: time in which no server ran is not counted.
    ///
    /// - Parameters:
    ///   - span: how long a host may be silent, as a check writes it.
    ///   - calendar: by which the span counts; nothing where it counts around the clock.
    package func moment(before now: Int64, span: TimeSpan, calendar: WorkingCalendar?) -> Int64 {
        var rest = calendar?.working(span) ?? span.milliseconds
        var end = now
        for gap in gaps.reversed() where gap.lowerBound < end {
            let start = min(gap.upperBound, end)
            let counted = calendar?.workingTime(from: start, to: end) ?? end - start
            guard counted < rest else { break }
            rest -= counted
            end = gap.lowerBound
        }
        return calendar?.moment(before: end, working: rest)
            ?? end.subtractingReportingOverflow(rest).partialValue
    }
}
