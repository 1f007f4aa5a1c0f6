/// What was removed because it was old.
public struct PruneReceipt: Sendable, Equatable {
    /// How many records of the audit trail.
    public let auditRecords: Int
    /// How many closed issues.
    public let closedIssues: Int

    /// A receipt for what a store has removed.
    public init(auditRecords: Int, closedIssues: Int) {
        self.auditRecords = auditRecords
        self.closedIssues = closedIssues
    }
}

/// The care that a database needs.
public protocol MaintenanceStore: Sendable {
    /// Removes what is old. Open issues and hosts are never removed.
    ///
    /// - Parameters:
    ///   - auditTrailBefore: the records that are older than this are removed; none where it is not given. In
    ///     milliseconds since 1970-01-01 UTC.
    ///   - closedIssuesBefore: the issues that were closed before this are removed; none where it is not given.
    func prune(
        auditTrailBefore: Int64?, closedIssuesBefore: Int64?
    ) async throws(StoreError) -> PruneReceipt

    /// Reads everything. Changes nothing.
    ///
    /// - Returns: what is wrong, one line each; nothing where all is well.
    func check() async throws(StoreError) -> [String]
}
