import PDDocument
import PDStore

/// An open issue of the fleet itself.
package struct FleetIssue: Sendable, Equatable {
    /// The check, by its name.
    package let check: String
    /// What has it: `port 8443`, a key's fingerprint.
    package let subject: String
    /// Since when it has been seen, in milliseconds since 1970-01-01 UTC.
    package let openedAt: Int64
    /// When it was last told to people.
    package let alertedAt: Int64?
    /// What was seen.
    package let evidence: String
    /// When it was found to be gone; nothing where it is open.
    package var closedAt: Int64?

    package init(check: String, subject: String, openedAt: Int64, alertedAt: Int64? = nil, evidence: String) {
        self.check = check
        self.subject = subject
        self.openedAt = openedAt
        self.alertedAt = alertedAt
        self.evidence = evidence
    }

    /// One is open for a check and a subject.
    package var id: String { "\(check) \(subject)" }

    package var record: StoredRecord {
        var writer = DocumentWriter()
        writer.append("check", .string(check))
        writer.append("subject", .string(subject))
        writer.append("opened_at", .date(milliseconds: openedAt))
        if let alertedAt { writer.append("alerted_at", .date(milliseconds: alertedAt)) }
        writer.append("evidence", .string(evidence))
        if let closedAt { writer.append("closed_at", .date(milliseconds: closedAt)) }
        return StoredRecord(id: id, document: writer.finish())
    }

    /// - Throws: ``StoreError/corrupt(reason:)``.
    package init(_ record: StoredRecord) throws(StoreError) {
        let document = record.document
        guard let check = document["check"]?.string, let subject = document["subject"]?.string,
            let openedAt = document["opened_at"]?.milliseconds
        else { throw .corrupt(reason: "the issue \(record.id) of the fleet cannot be read") }
        self.init(
            check: check, subject: subject, openedAt: openedAt,
            alertedAt: document["alerted_at"]?.milliseconds,
            evidence: document["evidence"]?.string ?? "")
        closedAt = document["closed_at"]?.milliseconds
    }

    /// What is kept of it once it is gone.
    func closed(at now: Int64) -> StoredRecord {
        var closed = self
        closed.closedAt = now
        return StoredRecord(id: "\(RecordTime.name(now)) \(id)", document: closed.record.document)
    }
}
