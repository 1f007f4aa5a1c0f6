import PDDocument
import PDStore

/// What is done to a fleet as a whole now and then, and of which people want to know when it was done last.
package enum Landmark: String, Sendable {
    /// All checks were put to all hosts.
    case audit
    /// A copy was made from which the fleet can be had again.
    case backup

    /// The record, in the collection `presence`, that says when.
    package func record(at now: Int64) -> StoredRecord {
        StoredRecord(id: rawValue, document: ["at": .date(milliseconds: now)])
    }
}

extension RecordStore {
    /// When it was done last, in milliseconds since 1970-01-01 UTC; nothing where it never was.
    package func last(_ landmark: Landmark) async throws(StoreError) -> Int64? {
        try await record(.presence, landmark.rawValue)?.document["at"]?.milliseconds
    }

    /// Notes that it was done.
    package func note(_ landmark: Landmark, at now: Int64) async throws(StoreError) {
        try await apply(records: [.put(.presence, landmark.record(at: now))])
    }
}
