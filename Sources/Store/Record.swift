import PDDocument
import PDProtocol

/// Small things that a fleet keeps beside its hosts: each a document with a name in one of these collections.
public struct StoredRecord: Sendable, Equatable {
    /// Its name; different from all others of the collection. Records are listed in the order of their names' bytes.
    public let id: String
    /// What it says.
    public let document: Document

    /// A record to be stored, or as it was read from a database.
    public init(id: String, document: Document) {
        self.id = id
        self.document = document
    }
}

/// What records are about. A new collection wants no change of the database.
public enum RecordCollection: String, CaseIterable, Sendable {
    /// Snoozes and exemptions of issues.
    case silences
    /// What happened to issues, by time.
    case issueEvents = "issue_events"
    /// Issues of the fleet itself, which belong to no host: a certificate that expires.
    case fleetIssues = "fleet_issues"
    /// Those of them that are over, by the time at which they ended.
    case closedFleetIssues = "closed_fleet_issues"
    /// What was told to whom last.
    case told
    /// Messages that are on their way to people.
    case outbox
    /// The hosts that may be suspended, by identifier.
    case suspensions
    /// The hosts under whose names two machines were seen, by identifier.
    case machineTwins = "machine_twins"
    /// The hosts in whose names something was sent with a signature that does not count, by identifier.
    case refusals
    /// From when to when servers ran, and when the fleet was audited last.
    case presence
    /// Of hosts that were deleted or renamed, by name: how new their newest report was. Written by the stores themselves.
    case departedHosts = "departed_hosts"
    /// The keys that machines made for themselves, by hostname.
    case machines
    /// Which client key each host signed its last report with.
    case keyUses = "key_uses"
    /// Keys that are being replaced, by what they are for.
    case rotations
}

/// A change of an issue.
public struct IssueChange: Sendable, Equatable {
    /// What happens to it.
    public enum Kind: Sendable, Equatable {
        /// It is opened, with these details; where one of the host and the check is open, nothing happens.
        case open
        /// The open one is closed, and gets these details.
        case close
        /// The open one gets these details.
        case update
    }

    /// What happens to it.
    public let kind: Kind
    /// The host that has it.
    public let host: HostID
    /// The check, by its name.
    public let check: String
    /// When people were told last; nothing where that stays as it is.
    public let alertedAt: Int64?
    /// What else is known of it: ``Issue/details``.
    public let details: Document

    /// A change to be applied.
    public init(
        _ kind: Kind, host: HostID, check: String, alertedAt: Int64? = nil, details: Document = [:]
    ) {
        self.kind = kind
        self.host = host
        self.check = check
        self.alertedAt = alertedAt
        self.details = details
    }
}

/// A change of a record.
public enum RecordChange: Sendable, Equatable {
    /// It is stored, in the place of one with the same name.
    case put(RecordCollection, StoredRecord)
    /// It is removed, where it is there.
    case remove(RecordCollection, id: String)
}

/// The records of a fleet, and changes of records and issues that belong together.
public protocol RecordStore: Sendable {
    /// The records of a collection by name, from one name (included) to another (not included), where they are given.
    func records(
        _ collection: RecordCollection, from: String?, to: String?
    ) async throws(StoreError) -> [StoredRecord]

    /// The record of that name, or nothing.
    func record(_ collection: RecordCollection, _ id: String) async throws(StoreError) -> StoredRecord?

    /// Applies changes in their order, all or none. A change of an issue that is not open changes nothing.
    ///
    /// - Parameter at: the clock, in milliseconds since 1970-01-01 UTC: when issues count as opened or closed.
    /// - Throws: ``StoreError/unknownHost(_:)`` where an issue is opened for a host that is not there.
    func apply(issues: [IssueChange], records: [RecordChange], at: Int64) async throws(StoreError)
}

extension RecordStore {
    /// All records of a collection, by name.
    public func records(_ collection: RecordCollection) async throws(StoreError) -> [StoredRecord] {
        try await records(collection, from: nil, to: nil)
    }

    /// Applies changes of records, all or none.
    public func apply(records: [RecordChange]) async throws(StoreError) {
        try await apply(issues: [], records: records, at: 0)
    }
}
