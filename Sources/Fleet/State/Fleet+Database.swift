import Foundation
import PDBasics
import PDStore

extension Fleet {
    /// Where the settings say that the database is.
    package static func database(of settings: ServerSettings, in state: ServerState) -> StoreLocation {
        if let mongo = settings.database.mongo { return .mongo(mongo) }
        let file =
            settings.database.file.map { URL(filePath: $0, relativeTo: state.directory) } ?? state.database
        return .sqlite(path: file.path)
    }

    /// Removes what the settings say is too old.
    ///
    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    /// - Returns: what was removed; nothing where the settings keep everything.
    package func prune(at now: Int64) async throws(StoreError) -> PruneReceipt? {
        try await store.prune(settings.retention, at: now)
    }
}

extension MaintenanceStore {
    /// Removes what is older than is to be kept.
    package func prune(
        _ retention: ServerSettings.Retention, at now: Int64
    ) async throws(StoreError) -> PruneReceipt? {
        guard retention != ServerSettings.Retention() else { return nil }
        func limit(_ span: TimeSpan?) -> Int64? {
            span.map { now.subtractingReportingOverflow($0.milliseconds).partialValue }
        }
        return try await prune(
            auditTrailBefore: limit(retention.auditTrail), closedIssuesBefore: limit(retention.closedIssues))
    }
}
