import PDDocument
import PDProtocol
import PDStore

/// Something that happened to an issue and that its opening and closing times do not tell: who did what, and why.
package struct IssueEvent: Sendable, Equatable {
    /// What happened.
    package enum Kind: String, Sendable, CaseIterable {
        case snoozed, unsnoozed, snoozeEnded = "snooze_ended"
        case exempted, exemptionEnded = "exemption_ended"
        case openedByHand = "opened_by_hand", closedByHand = "closed_by_hand"
        case suspended, resumed
        case told
    }

    /// When, in milliseconds since 1970-01-01 UTC.
    package let at: Int64
    /// What happened.
    package let kind: Kind
    /// The host's identifier.
    package let host: HostID
    /// Its name at that time.
    package let hostname: Hostname
    /// The check; empty where it is about the host as a whole.
    package let check: String
    /// Who did it; empty where nobody did.
    package let by: String
    /// Why.
    package let reason: String
    /// Until when it holds.
    package let until: Int64?

    package init(
        _ kind: Kind, at: Int64, host: HostID, hostname: Hostname, check: String, by: String = "",
        reason: String = "", until: Int64? = nil
    ) {
        self.kind = kind
        self.at = at
        self.host = host
        self.hostname = hostname
        self.check = check
        self.by = by
        self.reason = reason
        self.until = until
    }

    package var record: StoredRecord {
        var writer = DocumentWriter()
        writer.append("at", .date(milliseconds: at))
        writer.append("kind", .string(kind.rawValue))
        writer.append("host", .string(host.text))
        writer.append("hostname", .string(hostname.name))
        writer.append("check", .string(check))
        writer.append("by", .string(by))
        writer.append("reason", .string(reason))
        if let until { writer.append("until", .date(milliseconds: until)) }
        return StoredRecord(
            id: "\(RecordTime.name(at)) \(kind.rawValue) \(host.text) \(check)", document: writer.finish())
    }

    /// - Throws: ``StoreError/corrupt(reason:)``.
    package init(_ record: StoredRecord) throws(StoreError) {
        let document = record.document
        guard let at = document["at"]?.milliseconds,
            let kind = document["kind"]?.string.flatMap(Kind.init(rawValue:)),
            let host = document["host"]?.string.flatMap({ HostID($0) }),
            let hostname = document["hostname"]?.string.flatMap({ Hostname($0) }),
            let check = document["check"]?.string
        else { throw .corrupt(reason: "the event \(record.id) cannot be read") }
        self.init(
            kind, at: at, host: host, hostname: hostname, check: check, by: document["by"]?.string ?? "",
            reason: document["reason"]?.string ?? "", until: document["until"]?.milliseconds)
    }
}

/// Names of records that sort by time.
package enum RecordTime {
    /// Sixteen digits of base 16: the same order as the times, which are not negative.
    package static func name(_ milliseconds: Int64) -> String {
        let digits = String(max(0, milliseconds), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
