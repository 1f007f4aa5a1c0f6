import Logging
import PDCrypto
import PDDocument
import PDProtocol
import PDStore

/// The one way in for reports: form, signature, content, store, in this order.
public struct Ingest: Sendable {
    /// Why a request was not taken.
    public enum Refusal: Error, Equatable, Sendable {
        /// The form or the JSON is not what the protocol says.
        case malformed(ProtocolError)
        /// There is no signature, or it does not count.
        case signature(reason: String)
        /// With this report the host would be larger than a store takes.
        case tooLarge(StoreError)
        /// The store cannot take it now.
        case unavailable(StoreError)
    }

    let store: any FleetStore
    let clientKeys: RoleKeys
    let now: @Sendable () -> Int64
    let logger: Logger

    /// - Parameters:
    ///   - store: where reports go.
    ///   - clientKeys: the keys that may sign them.
    ///   - now: the clock, in milliseconds since 1970-01-01 UTC.
    ///   - logger: gets one line for each change of a host, without values.
    public init(
        store: any FleetStore, clientKeys: RoleKeys, now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.store = store
        self.clientKeys = clientKeys
        self.now = now
        self.logger = logger
    }

    /// Takes the body of a `submit` request.
    ///
    /// - Returns: whose report it was and what it changed, after it is durable.
    /// - Throws: ``Refusal``; then nothing has been stored.
    public func submit(
        body: [UInt8], contentType: String?
    ) async throws(Refusal) -> (hostname: Hostname, receipt: SubmissionReceipt) {
        let time = now()
        let envelope: V1.Envelope
        do {
            envelope = try V1.Envelope(body: body, contentType: contentType)
        } catch {
            throw .malformed(error)
        }
        try verify(envelope, at: time)
        let submission: V1.Submission
        do {
            submission = try V1.Submission(json: envelope.data)
        } catch {
            throw .malformed(error)
        }
        let receipt: SubmissionReceipt
        do {
            receipt = try await store.record(submission, submittedAt: time)
        } catch .hostTooLarge(let hostname, let bytes, let limit) {
            throw .tooLarge(.hostTooLarge(hostname, bytes: bytes, limit: limit))
        } catch {
            throw .unavailable(error)
        }
        log(receipt, of: submission.hostname)
        return (submission.hostname, receipt)
    }

    private func verify(_ envelope: V1.Envelope, at time: Int64) throws(Refusal) {
        guard let signature = envelope.signature, !signature.isEmpty else {
            throw .signature(reason: "the request is not signed")
        }
        do {
            _ = try clientKeys.verifier.verify(
                signature: signature, of: envelope.data, at: OpenPGP.Timestamp(time / 1000))
        } catch {
            throw .signature(reason: "\(error)")
        }
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
            for difference in receipt.differences {
                // Paths hold names that a peer chose; quoting makes them safe to print.
                logger.info(
                    "\(difference.kind.rawValue)",
                    metadata: ["host": "\(hostname)", "key": "\(Value.string(difference.path).json())"])
            }
        }
    }
}
