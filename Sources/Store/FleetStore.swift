import PDDocument
import PDProtocol
import PDQuery

// The promise that every store keeps, whatever database it stands on.
//
// Durable: when a call that writes returns, what it wrote survives `kill -9` and loss of power. A call that throws has
// written nothing, or, where the error says that the outcome is unknown, all or nothing.
//
// Atomic: a submission, the changes that it makes to its host and the audit-trail records about them are written
// together or not at all. Nobody reads a state in between.
//
// Two writers: submissions of one host are applied one after the other, in some order; each is compared with the state
// that the one before it left. Two first submissions of a host make one host. This holds between processes as well.

/// Why a store could not do what it was asked.
public enum StoreError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The database cannot be reached or cannot write now: locked, disk full, connection lost. The same call may
    /// succeed later; the server answers 503.
    case unavailable(reason: String)
    /// The database was written by a newer version of this software, and is left untouched.
    case newerSchema(found: Int, supported: Int)
    /// The database holds something that this software cannot read.
    case corrupt(reason: String)
    /// No host of that name or identifier.
    case unknownHost(String)
    /// What is known of a host would grow beyond what a store keeps about one host. The server answers 413.
    case hostTooLarge(Hostname, bytes: Int, limit: Int)
    /// What was asked contradicts something that is there. Nothing was written.
    case conflict(String)
    /// It is not known which hosts a query picks: a regular expression in it would take too long.
    case undecided(PatternError)

    /// One line for people.
    public var description: String {
        switch self {
        case .unavailable(let reason): "the database is not available: \(reason)"
        case .newerSchema(let found, let supported):
            "the database has schema version \(found), this program knows versions up to \(supported): use a newer program"
        case .corrupt(let reason): "the database is damaged: \(reason)"
        case .unknownHost(let name): "no host is called \(name)"
        case .conflict(let reason): reason
        case .undecided(let error): "the query cannot be answered: $regex: \(error)"
        case .hostTooLarge(let hostname, let bytes, let limit):
            "the reports of host \(hostname) would take \(bytes) bytes, the limit is \(limit)"
        }
    }
}

/// One machine as the fleet knows it.
public struct FleetHost: Sendable, Equatable {
    /// What it is known by.
    public let id: HostID
    /// What it calls itself.
    public let hostname: Hostname
    /// The server's clock at its last submission, in milliseconds since 1970-01-01 UTC.
    public let submittedAt: Int64
    /// Everything about it in the form that queries address and that version 1 databases hold: `hostname`,
    /// `submitted_at`, `collected_at` (of the plugins, by the host's clock), `plugins` (with a `submitted_at` of its
    /// own), `commands` (each with a `submitted_at` and a `collected_at`), `suspended`. At most 16 MiB.
    public let document: Document

    /// A host as it was read from a database.
    public init(id: HostID, hostname: Hostname, submittedAt: Int64, document: Document) {
        self.id = id
        self.hostname = hostname
        self.submittedAt = submittedAt
        self.document = document
    }
}

/// What a submission did.
public struct SubmissionReceipt: Sendable, Equatable {
    /// How a submission was taken.
    public enum Disposition: Sendable, Equatable {
        /// The first one of a host that was not known.
        case newHost
        /// Later than what was known, and stored.
        case stored
        /// Collected before what is known already: an old request that was sent again, or one that a newer one has
        /// overtaken. Nothing was changed, not even the time of the host's last submission.
        case outdated
        /// Known already, to the time of its collection: sent again after an answer was lost, or played back by
        /// somebody else. Nothing was changed, not even the time of the host's last submission.
        case repeated
    }

    /// Whose submission it was.
    public let id: HostID
    /// How it was taken.
    public let disposition: Disposition
    /// What changed on the host, one entry for each line that the log owes. A new host has changed nothing.
    public let differences: [V1.Difference]

    /// A receipt for what a store has written.
    public init(id: HostID, disposition: Disposition, differences: [V1.Difference]) {
        self.id = id
        self.disposition = disposition
        self.differences = differences
    }
}

/// The hosts of a fleet and what they reported.
public protocol HostStore: Sendable {
    /// Takes a report whose signature has been verified.
    ///
    /// The plugins replace those that are known, each command's result replaces the known result of that command, and
    /// `suspended` is cleared. Plugins and commands are judged each by themselves: one that was collected before what
    /// it would replace is left out, one without a time of collection is taken. A clock of a host that once was more
    /// than an hour ahead of the server's and was put right does no lasting harm: what it dated counts as collected when
    /// the server got it.
    ///
    /// - Parameters:
    ///   - submission: the report.
    ///   - submittedAt: the server's clock, in milliseconds since 1970-01-01 UTC.
    /// - Returns: after the report is durable, what it changed.
    func record(_ submission: V1.Submission, submittedAt: Int64) async throws(StoreError) -> SubmissionReceipt

    /// Goes over the hosts that a query matches, or over all, by hostname, without holding them all.
    ///
    /// - Parameters:
    ///   - initial: what `body` makes the result of.
    ///   - body: called with each host, on a thread of the store's.
    func reduceHosts<Result: Sendable>(
        where query: Query?, into initial: Result,
        _ body: @escaping @Sendable (inout Result, FleetHost) -> Void
    ) async throws(StoreError) -> Result

    /// The host of that name or identifier, or nothing.
    func host(_ nameOrID: String) async throws(StoreError) -> FleetHost?
}

extension HostStore {
    /// All hosts, by hostname.
    public func hosts() async throws(StoreError) -> [FleetHost] {
        try await reduceHosts(where: nil, into: []) { $0.append($1) }
    }

    /// The hosts that a query matches, by hostname.
    public func hosts(where query: Query) async throws(StoreError) -> [FleetHost] {
        try await reduceHosts(where: query, into: []) { $0.append($1) }
    }
}

/// One record of the audit trail.
public struct AuditRecord: Sendable, Equatable {
    /// The server's clock, in milliseconds since 1970-01-01 UTC.
    public let auditedAt: Int64
    /// Whose change it is.
    public let hostID: HostID
    /// The host's name at that time.
    public let hostname: Hostname
    /// What changed.
    public let change: V1.Change

    /// A record as it was read from a database.
    public init(auditedAt: Int64, hostID: HostID, hostname: Hostname, change: V1.Change) {
        self.auditedAt = auditedAt
        self.hostID = hostID
        self.hostname = hostname
        self.change = change
    }
}

/// What changed on which host, and when.
public protocol AuditTrailStore: Sendable {
    /// The records of one host, oldest first; at most `limit` of the newest.
    func auditTrail(of host: HostID, limit: Int) async throws(StoreError) -> [AuditRecord]
}

/// One thing to fix on one host.
public struct Issue: Sendable, Equatable {
    /// The host that has it.
    public let hostID: HostID
    /// The host's name.
    public let hostname: Hostname
    /// The check that found it, by its name in `checks.yml`.
    public let check: String
    /// Since when it has been seen, in milliseconds since 1970-01-01 UTC.
    public let openedAt: Int64
    /// When it was last told to people.
    public let alertedAt: Int64?
    /// When it was found to be gone.
    public let closedAt: Int64?
    /// What else is known of it: of what kind it is, what was seen, who opened or closed it by hand. Databases of version 1
    /// have `snoozed_at`, `unsnooze_at` and `unsnoozed_at` here.
    public let details: Document

    /// An issue as it was read from a database.
    public init(
        hostID: HostID, hostname: Hostname, check: String, openedAt: Int64, alertedAt: Int64? = nil,
        closedAt: Int64? = nil, details: Document = [:]
    ) {
        self.hostID = hostID
        self.hostname = hostname
        self.check = check
        self.openedAt = openedAt
        self.alertedAt = alertedAt
        self.closedAt = closedAt
        self.details = details
    }
}

/// The things to fix.
public protocol IssueStore: Sendable {
    /// Makes the open issues of these checks what an audit found, in one transaction: opens those that are new, leaves
    /// those that go on as they are, closes those of the same checks that are gone. At most one issue is open for a
    /// host and a check.
    ///
    /// - Parameters:
    ///   - found: for each check that ran, the hosts that it matched. A check that is not named is not touched.
    ///   - at: the clock of the audit, in milliseconds since 1970-01-01 UTC.
    /// - Returns: all open issues, by hostname and check.
    func reconcileIssues(found: [String: [HostID]], at: Int64) async throws(StoreError) -> [Issue]

    /// All open issues, by hostname and check.
    func openIssues() async throws(StoreError) -> [Issue]

    /// All issues that were open at some moment of a period, open and closed ones, by hostname, check and time of opening.
    ///
    /// - Parameters:
    ///   - from: the beginning of the period, in milliseconds since 1970-01-01 UTC.
    ///   - to: its end, which does not belong to it.
    func issues(from: Int64, to: Int64) async throws(StoreError) -> [Issue]
}

/// All that a server and its tools need from a database.
public protocol FleetStore: HostStore, AuditTrailStore, IssueStore, RecordStore, OrderStore, ParameterStore,
    HostAdministration, LeaseStore, MaintenanceStore, TransferStore
{
    /// Ends the use of the database; calls that are under way are finished first. Calls that come later throw
    /// ``StoreError/unavailable(reason:)``; closing again does nothing.
    func close() async throws(StoreError)
}
