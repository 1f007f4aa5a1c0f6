import PDCrypto
import PDDocument
import PDProtocol

/// All that a store has of one host, for its way to another store.
public struct HostArchive: Sendable, Equatable {
    /// The host.
    public let host: FleetHost
    /// Its whole audit trail, oldest first.
    public let auditTrail: [AuditRecord]
    /// Its issues, open and closed, by check and time.
    public let issues: [Issue]

    /// What was read from a database. A field `_id` of the host's document belongs to the database, and is left out.
    public init(host: FleetHost, auditTrail: [AuditRecord], issues: [Issue]) {
        self.host = FleetHost(
            id: host.id, hostname: host.hostname, submittedAt: host.submittedAt,
            document: host.document.setting("_id", to: nil))
        self.auditTrail = auditTrail
        self.issues = issues.sorted {
            ($0.check, $0.openedAt, $0.closedAt ?? .max) < ($1.check, $1.openedAt, $1.closedAt ?? .max)
        }
    }

    /// Everything in one form that does not depend on the store.
    var document: Document {
        [
            "id": .string(host.id.text), "hostname": .string(host.hostname.name),
            "submitted_at": .date(milliseconds: host.submittedAt), "document": .document(host.document),
            "audit_trail": .array(
                auditTrail.map { record in
                    [
                        "at": .date(milliseconds: record.auditedAt),
                        "hostname": .string(record.hostname.name),
                        "key": .string(record.change.key), "type": .string(record.change.kind.rawValue),
                        "content": .document(record.change.content),
                    ]
                }), "issues": .array(issues.map { .document($0.stored) }),
        ]
    }
}

/// A store whose content may go to another one.
public protocol TransferStore: Sendable {
    /// The identifiers of all hosts, by hostname.
    func hostIDs() async throws(StoreError) -> [HostID]

    /// All that there is of one host, as it is at one moment; nothing where there is no such host.
    func archive(of host: HostID) async throws(StoreError) -> HostArchive?

    /// Puts a host there as another store had it, in the place of what there was of it, all or nothing.
    func put(_ archive: HostArchive) async throws(StoreError)

    /// Puts a patch there as another store had it, in the place of one with the same identifier.
    func put(_ patch: Order) async throws(StoreError)
}

/// Copies a whole fleet from one store to another, and proves it.
///
/// What is there already and the same is left alone, so that a copy which was broken off goes on where it stopped.
/// Hosts that the source does not have are never removed from the target: such a target is refused.
public struct FleetCopy: Sendable {
    /// What was found in both stores in the end.
    public struct Receipt: Sendable, Equatable {
        /// How many hosts.
        public let hosts: Int
        /// How many records of the audit trail.
        public let auditRecords: Int
        /// How many issues, open and closed.
        public let issues: Int
        /// How many patches.
        public let patches: Int
        /// How many parameters of hosts.
        public let parameters: Int
        /// How many records: snoozes, messages and the like.
        public let records: Int
        /// How many hosts and patches were not written, since they were there already.
        public let unchanged: Int
        /// SHA-256 over everything, in hexadecimal; the same for stores with the same content.
        public let digest: String
    }

    /// How far a copy is.
    public struct Progress: Sendable, Equatable {
        /// What it is doing.
        public enum Phase: String, Sendable {
            /// Writing what the target lacks.
            case copying
            /// Reading both stores again.
            case verifying
        }

        /// What it is doing.
        public let phase: Phase
        /// How many hosts are done.
        public let done: Int
        /// How many hosts there are.
        public let total: Int
    }

    private let source: any FleetStore
    private let target: any FleetStore

    /// A copy that has not begun.
    public init(from source: any FleetStore, to target: any FleetStore) {
        self.source = source
        self.target = target
    }

    /// Copies and verifies.
    ///
    /// - Parameters:
    ///   - at: the clock, in milliseconds since 1970-01-01 UTC: when the parameters count as set.
    ///   - progress: called after each host.
    /// - Throws: ``StoreError/conflict(_:)`` where the target has what the source has not, or where the two differ in
    ///   the end, since somebody wrote to one of them meanwhile.
    public func run(at: Int64, progress: (Progress) -> Void = { _ in }) async throws(StoreError) -> Receipt {
        let ids = try await source.hostIDs()
        try await refuseOthers(ids)
        var unchanged = 0
        for (index, id) in ids.enumerated() {
            if let archive = try await source.archive(of: id) {
                if try await target.archive(of: id) == archive {
                    unchanged += 1
                } else {
                    try await target.put(archive)
                }
            }
            progress(Progress(phase: .copying, done: index + 1, total: ids.count))
        }
        for listed in try await source.orders().reversed() {
            guard let patch = try await source.order(listed.id) else { continue }
            if try await target.order(patch.id) == patch {
                unchanged += 1
            } else {
                try await target.put(patch)
            }
        }
        let parameters = try await source.parameters()
        if try await target.parameters() != parameters {
            try await target.setParameters(parameters, at: at)
        }
        for collection in RecordCollection.allCases {
            let (wanted, found) = (try await source.records(collection), try await target.records(collection))
            guard wanted != found else { continue }
            let kept = Set(wanted.map(\.id))
            try await target.apply(
                records: found.filter { !kept.contains($0.id) }.map { .remove(collection, id: $0.id) }
                    + wanted.map { .put(collection, $0) })
        }
        return try await verify(unchanged: unchanged, progress)
    }

    private func refuseOthers(_ ids: [HostID]) async throws(StoreError) {
        let known = Set(ids)
        let others = try await target.hostIDs().filter { !known.contains($0) }
        let patches = Set(try await source.orders().map(\.id))
        let otherPatches = try await target.orders().filter { !patches.contains($0.id) }
        let parameters = Set(try await source.parameters().map { "\($0.hostname) \($0.name)" })
        let otherParameters = try await target.parameters().filter {
            !parameters.contains("\($0.hostname) \($0.name)")
        }
        guard others.isEmpty, otherPatches.isEmpty, otherParameters.isEmpty else {
            throw .conflict(
                "the target has \(others.count) hosts, \(otherPatches.count) patches and \(otherParameters.count) parameters that the source has not: copy into an empty database"
            )
        }
    }

    private func verify(
        unchanged: Int, _ progress: (Progress) -> Void
    ) async throws(StoreError) -> Receipt {
        let left = try await Self.inventory(source, unchanged: unchanged, progress)
        let right = try await Self.inventory(target, unchanged: unchanged, progress)
        guard left == right else {
            throw .conflict(
                "the two databases differ: \(left.hosts) and \(right.hosts) hosts, \(left.auditRecords) and \(right.auditRecords) audit records, \(left.issues) and \(right.issues) issues, \(left.patches) and \(right.patches) patches, \(left.parameters) and \(right.parameters) parameters, \(left.records) and \(right.records) records: stop what writes to them, and copy again"
            )
        }
        return left
    }

    private static func inventory(
        _ store: any FleetStore, unchanged: Int, _ progress: (Progress) -> Void
    ) async throws(StoreError) -> Receipt {
        var sum: [UInt8] = []
        func add(_ document: Document) {
            // A chain, since a hash under way cannot wait across calls to a store.
            sum = SHA256.hash(sum + SHA256.hash(document.bson))
        }
        let ids = try await store.hostIDs()
        var (hosts, auditRecords, issues) = (0, 0, 0)
        for id in ids {
            guard let archive = try await store.archive(of: id) else { continue }
            hosts += 1
            auditRecords += archive.auditTrail.count
            issues += archive.issues.count
            add(archive.document)
            progress(Progress(phase: .verifying, done: hosts, total: ids.count))
        }
        let patches = try await store.orders().map(\.id)
        for id in patches {
            guard let patch = try await store.order(id), let key = Order.key(id) else { continue }
            add(patch.stored(key: key, number: 0))
        }
        let parameters = try await store.parameters()
        for parameter in parameters { add(parameter.stored(at: 0)) }
        var records = 0
        for collection in RecordCollection.allCases {
            for record in try await store.records(collection) {
                add([collection.rawValue: .string(record.id), "document": .document(record.document)])
                records += 1
            }
        }
        return Receipt(
            hosts: hosts, auditRecords: auditRecords, issues: issues, patches: patches.count,
            parameters: parameters.count, records: records, unchanged: unchanged,
            digest: sum.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined())
    }
}
