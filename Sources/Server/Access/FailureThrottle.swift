import Synchronization

/// Slows down those who guess passwords: after some failures from an address, it is refused for a while, right password
/// or not.
final class FailureThrottle: Sendable {
    /// What an address is allowed.
    struct Limits: Sendable {
        /// So many failures…
        var failures = 10
        /// …within this time, which begins with the first of them.
        var window = Duration.seconds(300)
        /// How many addresses are remembered; beyond, those that began first are forgotten.
        var addresses = 10_000
    }

    private struct Record {
        var count: Int
        let since: ContinuousClock.Instant
    }

    private let limits: Limits
    private let clock: @Sendable () -> ContinuousClock.Instant
    private let records = Mutex<[IPAddress: Record]>([:])

    init(limits: Limits = .init(), clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limits = limits
        self.clock = clock
    }

    /// Begins a try, which counts as failed until ``forgive(_:)`` says otherwise: however many tries come at once, no more
    /// than the limit of them are made. Peers without an address share one record.
    ///
    /// - Throws: ``Refusal/tooMany(_:retryAfter:)`` where the address has failed too often.
    func begin(_ address: IPAddress?) throws(Refusal) {
        let now = clock()
        let key = address?.subscriber ?? .unspecified
        let left = records.withLock { records -> Duration? in
            var record = records[key] ?? Record(count: 0, since: now)
            let left = limits.window - record.since.duration(to: now)
            if left <= .zero { record = Record(count: 0, since: now) }
            guard record.count < limits.failures else { return left }
            if records[key] == nil, records.count >= limits.addresses { makeRoom(&records, now) }
            record.count += 1
            records[key] = record
            return nil
        }
        guard let left else { return }
        throw .tooMany(
            "too many failures from this address", retryAfter: Int((left / .seconds(1)).rounded(.up)))
    }

    /// The try that was begun was right, or was not made.
    func forgive(_ address: IPAddress?) {
        let key = address?.subscriber ?? .unspecified
        records.withLock { records in
            guard let record = records[key] else { return }
            records[key] = record.count > 1 ? Record(count: record.count - 1, since: record.since) : nil
        }
    }

    private func makeRoom(_ records: inout [IPAddress: Record], _ now: ContinuousClock.Instant) {
        records = records.filter { $0.value.since.duration(to: now) < limits.window }
        guard records.count >= limits.addresses,
            let oldest = records.min(by: { $0.value.since < $1.value.since })
        else { return }
        records[oldest.key] = nil
    }
}
