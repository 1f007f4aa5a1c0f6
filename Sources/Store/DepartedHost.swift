import PDDocument
import PDProtocol

/// What stays known of a host that was deleted or renamed: when its newest report was collected.
///
/// Without it, an old report that somebody recorded and sends again would make the host anew, or put a command's result
/// there that went with it.
struct DepartedHost: Sendable, Equatable {
    /// When its newest part was collected, by the host's clock, in milliseconds since 1970-01-01 UTC.
    let collectedAt: Int64
    /// When the server got that part.
    let submittedAt: Int64

    /// What is to be kept of a host with that document, given what was kept of one of its name; nothing where neither has
    /// a time of collection.
    init?(_ host: Document, before: DepartedHost?) {
        var parts = [(host["collected_at"], host[["plugins", "submitted_at"]])]
        for (_, result) in host["commands"]?.document ?? Document() {
            parts.append((result.document?["collected_at"], result.document?["submitted_at"]))
        }
        var newest = before
        for (collected, submitted) in parts {
            guard let collected = collected?.milliseconds, let submitted = submitted?.milliseconds,
                collected >= newest?.collectedAt ?? .min
            else { continue }
            newest = DepartedHost(collectedAt: collected, submittedAt: submitted)
        }
        guard let newest else { return nil }
        self = newest
    }

    private init(collectedAt: Int64, submittedAt: Int64) {
        self.collectedAt = collectedAt
        self.submittedAt = submittedAt
    }

    /// As ``record(of:)`` has stored it.
    init(stored: Document) throws(StoreError) {
        guard let collected = stored["collected_at"]?.milliseconds,
            let submitted = stored["submitted_at"]?.milliseconds
        else { throw .corrupt(reason: "what is known of a host that is gone has no times") }
        self.init(collectedAt: collected, submittedAt: submitted)
    }

    /// The record that keeps it, under the host's name.
    func record(of hostname: Hostname) -> StoredRecord {
        StoredRecord(
            id: hostname.name,
            document: [
                "collected_at": .date(milliseconds: collectedAt),
                "submitted_at": .date(milliseconds: submittedAt),
            ])
    }
}
