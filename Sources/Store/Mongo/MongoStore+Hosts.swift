import PDDocument
import PDProtocol
import PDQuery

extension MongoStore {
    /// Compares the report with what is known, and writes both the host and what changed on it.
    public func record(
        _ submission: V1.Submission, submittedAt: Int64
    ) async throws(StoreError) -> SubmissionReceipt {
        let report = HostReport(submission, submittedAt: submittedAt)
        return try await transaction { connection in
            do {
                return try Self.write(report, connection)
            } catch let failure as MongoFailure where failure.isTooLarge {
                throw StoreError.hostTooLarge(
                    report.hostname, bytes: report.byteCount, limit: HostReport.maximumDocumentBytes)
            } catch let failure as MongoFailure where failure.isDuplicate {
                // Somebody else made the host since the snapshot was taken: once more, now that it is known.
                throw MongoFailure(failure.reason, code: failure.code, labels: ["TransientTransactionError"])
            }
        }
    }

    private static func write(
        _ report: HostReport, _ connection: MongoConnection
    ) throws -> SubmissionReceipt {
        let known = try connection.host(named: report.hostname)
        let effect = try report.effect(on: known?.host.document) { try connection.departed(report.hostname) }
        let id = try known?.host.id ?? connection.freeID(for: report.hostname)
        let receipt = SubmissionReceipt(
            id: id, disposition: effect.disposition, differences: effect.differences)
        guard let document = effect.document else { return receipt }
        let changes = known?.changes ?? 0
        let stored = StoredHost.stored(
            key: known?.key, document: document, id: id, changes: changes + effect.changes.count)
        guard stored.byteCount <= HostReport.maximumDocumentBytes else {
            throw StoreError.hostTooLarge(
                report.hostname, bytes: stored.byteCount, limit: HostReport.maximumDocumentBytes)
        }
        if let known {
            try connection.update(MongoSchema.hosts, where: ["_id": known.key], stored)
        } else {
            try connection.insert([stored], into: MongoSchema.hosts)
        }
        let records = effect.changes.enumerated().map { index, change in
            AuditRecord(auditedAt: report.submittedAt, hostID: id, hostname: report.hostname, change: change)
                .stored(number: changes + index + 1)
        }
        try connection.insert(records, into: MongoSchema.auditTrail)
        return receipt
    }

    /// Goes over hosts, without holding more than a batch. The database evaluates the query.
    public func reduceHosts<Result: Sendable>(
        where query: Query?, into initial: Result,
        _ body: @escaping @Sendable (inout Result, FleetHost) -> Void
    ) async throws(StoreError) -> Result {
        let filter = query?.document ?? [:]
        return try await call { connection in
            var result = initial
            try connection.forEach(MongoSchema.hosts, where: filter, ["sort": ["hostname": 1]]) { document in
                if let stored = try StoredHost(document) { body(&result, stored.host) }
                return true
            }
            return result
        }
    }

    /// The host of that name or identifier. The identifier first: a host may call itself like another one's.
    public func host(_ nameOrID: String) async throws(StoreError) -> FleetHost? {
        try await call { connection in
            if let id = HostID(nameOrID), let key = try connection.key(of: id),
                let stored = try connection.first(MongoSchema.hosts, where: ["_id": key.key])
            {
                return try StoredHost(stored)?.host
            }
            guard let name = Hostname(nameOrID) else { return nil }
            return try connection.host(named: name)?.host
        }
    }
}
