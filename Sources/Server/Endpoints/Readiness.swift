import Foundation
import Logging
import PDStore

/// Whether the server can do its work: the database takes a write, and nobody has told the server to stop.
actor Readiness {
    /// How long an answer holds: whoever asks often makes no more writes.
    static let validity = Duration.seconds(1)

    private let leases: any LeaseStore
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let holder = UUID().uuidString
    private var last: (at: ContinuousClock.Instant, refusal: Refusal?)?
    private var isStopping = false

    init(leases: any LeaseStore, now: @escaping @Sendable () -> Int64, logger: Logger) {
        self.leases = leases
        self.now = now
        self.logger = logger
    }

    /// Returns where it can.
    func check() async throws(Refusal) {
        guard !isStopping else { throw .unavailable("the server is stopping", retryAfter: 10) }
        if let last, last.at.duration(to: .now) < Self.validity {
            if let refusal = last.refusal { throw refusal }
            return
        }
        var refusal: Refusal?
        do {
            // A lease of this process alone: taking it is a write, and waits for nobody.
            _ = try await leases.takeLease(
                "readiness-\(holder)", holder: holder, at: now(), duration: 1000)
            try await leases.releaseLease("readiness-\(holder)", holder: holder)
        } catch {
            logger.error("the database cannot be written: \(error)")
            refusal = Refusal(error)
        }
        last = (.now, refusal)
        if let refusal { throw refusal }
    }

    /// From now on the answer is no, so that nobody sends more.
    func stop() {
        isStopping = true
    }
}
