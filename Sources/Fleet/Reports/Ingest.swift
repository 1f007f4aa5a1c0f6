import Logging
import PDDocument
import PDLogs
import PDProtocol
import PDStore

/// What becomes of a report once its signature has been verified: the store takes it, and the log tells what changed.
package struct Ingest: Sendable {
    /// How many changes of one report are told one by one; the audit trail has them all.
    static let loggedChanges = 50
    /// How much of a change's name is told.
    static let loggedNameCharacters = 256

    private let store: any HostStore & AuditTrailStore & RecordStore
    /// Gets one line for each change of a host, without values.
    private let logger: Logger

    package init(store: any HostStore & AuditTrailStore & RecordStore, logger: Logger) {
        self.store = store
        self.logger = logger
    }

    /// Takes a report.
    ///
    /// - Returns: what it changed, after it is durable.
    /// - Throws: ``StoreError``; then nothing has been stored.
    package func take(
        _ submission: V1.Submission, at time: Int64
    ) async throws(StoreError) -> SubmissionReceipt {
        let receipt = try await store.record(submission, submittedAt: time)
        log(receipt, of: submission.hostname)
        do throws(StoreError) {
            try await MachineTwins(store: store).look(at: receipt, of: submission.hostname, at: time)
        } catch {
            // The report is stored: that is what the host must be told.
            logger.error("whether two machines share a name could not be looked up: \(error)")
        }
        return receipt
    }

    private func log(_ receipt: SubmissionReceipt, of hostname: Hostname) {
        switch receipt.disposition {
        case .newHost: logger.notice("new host", metadata: ["host": "\(hostname)", "id": "\(receipt.id)"])
        case .outdated:
            logger.warning(
                "outdated submission: older than what is known, or sent again; not stored",
                metadata: ["host": "\(hostname)"])
        case .repeated: logger.info("repeated submission: already stored", metadata: ["host": "\(hostname)"])
        case .stored:
            for difference in receipt.differences.prefix(Self.loggedChanges) {
                // Paths hold names that a peer chose; quoting makes them safe to print.
                let name = Value.string(difference.path.cut(to: Self.loggedNameCharacters)).json()
                logger.info(
                    "\(difference.kind.rawValue)",
                    metadata: ["host": "\(hostname)", "key": "\(name)"])
            }
            let rest = receipt.differences.count - Self.loggedChanges
            if rest > 0 {
                logger.info("more changes", metadata: ["host": "\(hostname)", "count": "\(rest)"])
            }
        }
    }
}
