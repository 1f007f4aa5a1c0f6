import Foundation
import Logging
import PDBasics
import PDFleet
import PDSettings
import PDStore
import ServiceLifecycle

/// Audits the fleet again and again, and removes what is older than the settings keep. Of several servers on one
/// database one does it: the one that has the lease. Where it ends without a word, another takes over when the lease
/// has run out.
struct PeriodicAudit: ServiceLifecycle.Service {
    /// What the lease is called.
    static let lease = "audit"

    let audit: FleetAudit
    let interval: TimeSpan
    /// The clock, in milliseconds since 1970-01-01 UTC.
    let now: @Sendable () -> Int64
    let logger: Logger

    private var store: any FleetStore { audit.fleet.store }
    private var holder: String { audit.holder }

    func run() async throws {
        while !Task.isShuttingDownGracefully {
            await runOnce()
            do {
                try await cancelWhenGracefulShutdown {
                    try await Task.sleep(for: .milliseconds(interval.milliseconds))
                }
            } catch is CancellationError {
                break
            }
        }
        do throws(StoreError) {
            try await store.releaseLease(Self.lease, holder: holder)
        } catch {
            logger.warning("the lease of the audit could not be given back: \(error)")
        }
    }

    /// Audits, where this process may. What goes wrong is logged, and tried again next time.
    ///
    /// - Returns: what was found; nothing where another process audits, or something went wrong.
    @discardableResult
    func runOnce() async -> AuditReport? {
        let time = now()
        do {
            // Twice the interval: the holder renews it in time, also where one audit takes long.
            guard
                try await store.takeLease(
                    Self.lease, holder: holder, at: time, duration: interval.milliseconds * 2)
            else { return nil }
            guard let result = try await audit.run(at: time) else { return nil }
            let report = result.report
            logger.info(
                "audit",
                metadata: [
                    "hosts": "\(report.hostCount)", "suspended": "\(report.suspendedCount)",
                    "open": "\(report.findings.count)", "alerting": "\(report.alerting.count)",
                    "told": "\(result.told)",
                ])
            // A check that is too costly is so on many hosts: one line each would bury the rest.
            if let first = report.undecided.first {
                logger.warning(
                    "checks that cannot be decided: \(first.error)",
                    metadata: [
                        "count": "\(report.undecided.count)", "first_check": "\(first.check)",
                        "first_host": "\(first.hostname)",
                    ])
            }
            if let removed = result.removed, removed != PruneReceipt(auditRecords: 0, closedIssues: 0) {
                logger.info(
                    "removed what is old",
                    metadata: [
                        "audit_records": "\(removed.auditRecords)",
                        "closed_issues": "\(removed.closedIssues)",
                    ])
            }
            return report
        } catch {
            logger.error("audit: \(error)")
            return nil
        }
    }
}
