import PDDocument
import PDStore

/// How often a fleet was audited on which day, so that a day without a finding can be told from one on which nobody looked.
package struct AuditDays: Sendable, Equatable {
    private static let prefix = "audits "

    private let counts: [Int: Int]

    /// - Parameter records: those of the collection `presence`.
    package init(_ records: [StoredRecord]) {
        counts = Dictionary(
            records.compactMap { record in
                guard record.id.hasPrefix(Self.prefix),
                    let day = CivilDate(record.id.dropFirst(Self.prefix.count)),
                    let count = record.document["count"]?.integer
                else { return nil }
                return (day.number, count)
            }, uniquingKeysWith: max)
    }

    /// How often it was audited on a day in UTC; nothing for days before the first that was kept.
    package func count(on day: CivilDate) -> Int? {
        guard let first = counts.keys.min(), day.number >= first else { return nil }
        return counts[day.number] ?? 0
    }

    /// The record that notes one more audit.
    static func noting(_ store: any RecordStore, at now: Int64) async throws(StoreError) -> StoredRecord {
        let id = "\(prefix)\(CivilDate(number: Evidence.Period.day(now)))"
        let count = try await store.record(.presence, id)?.document["count"]?.integer ?? 0
        return StoredRecord(
            id: id, document: ["count": .int(count + 1), "last_at": .date(milliseconds: now)])
    }
}
