import PDDocument
import PDProtocol
import PDStore

/// A decision of a person that keeps an issue quiet: about a host and a check, whether an issue is open now or not, so that
/// it outlives one that comes and goes.
package struct Silence: Sendable, Equatable {
    /// What was decided.
    package enum Kind: String, Sendable, CaseIterable {
        /// It is known and will be dealt with later.
        case snooze
        /// It may stay: a documented exception, for auditors.
        case exemption
        /// The issue was closed by hand: it does not come back before the host has sent newer data.
        case closed
    }

    /// What was decided.
    package let kind: Kind
    /// The host, by its identifier, so that it may be renamed.
    package let host: HostID
    /// The check.
    package let check: String
    /// When it was decided, in milliseconds since 1970-01-01 UTC.
    package let since: Int64
    /// When it ends; nothing where no date was set.
    package let until: Int64?
    /// Whether it ends when the issue is resolved, if that comes first.
    package let endsWhenResolved: Bool
    /// Why.
    package let reason: String
    /// Who decided.
    package let by: String

    package init(
        _ kind: Kind, host: HostID, check: String, since: Int64, until: Int64? = nil,
        endsWhenResolved: Bool = false, reason: String = "", by: String = ""
    ) {
        self.kind = kind
        self.host = host
        self.check = check
        self.since = since
        self.until = until
        self.endsWhenResolved = endsWhenResolved
        self.reason = reason
        self.by = by
    }

    /// One decision of a kind stands for a host and a check.
    package static func id(_ kind: Kind, _ host: HostID, _ check: String) -> String {
        "\(host.text) \(check) \(kind.rawValue)"
    }

    /// Whether it still holds.
    package func holds(at now: Int64) -> Bool { until.map { $0 > now } ?? true }

    package var record: StoredRecord {
        var writer = DocumentWriter()
        writer.append("kind", .string(kind.rawValue))
        writer.append("host", .string(host.text))
        writer.append("check", .string(check))
        writer.append("since", .date(milliseconds: since))
        if let until { writer.append("until", .date(milliseconds: until)) }
        writer.append("ends_when_resolved", .bool(endsWhenResolved))
        writer.append("reason", .string(reason))
        writer.append("by", .string(by))
        return StoredRecord(id: Self.id(kind, host, check), document: writer.finish())
    }

    /// - Throws: ``StoreError/corrupt(reason:)``.
    package init(_ record: StoredRecord) throws(StoreError) {
        let document = record.document
        guard let kind = document["kind"]?.string.flatMap(Kind.init(rawValue:)),
            let host = document["host"]?.string.flatMap({ HostID($0) }),
            let check = document["check"]?.string, let since = document["since"]?.milliseconds
        else { throw .corrupt(reason: "the silence \(record.id) cannot be read") }
        self.init(
            kind, host: host, check: check, since: since, until: document["until"]?.milliseconds,
            endsWhenResolved: document["ends_when_resolved"]?.bool ?? false,
            reason: document["reason"]?.string ?? "", by: document["by"]?.string ?? "")
    }
}
