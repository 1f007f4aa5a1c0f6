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

    /// Returns where the address may try. Peers without an address share one record.
    func admit(_ address: IPAddress?) throws(Refusal) {
        let now = clock()
        let left = records.withLock { records -> Duration? in
            guard let record = records[Self.key(address)] else { return nil }
            let left = limits.window - record.since.duration(to: now)
            guard left > .zero else {
                records[Self.key(address)] = nil
                return nil
            }
            return record.count >= limits.failures ? left : nil
        }
        guard let left else { return }
        throw .tooMany(
            "too many failures from this address", retryAfter: Int((left / .seconds(1)).rounded(.up)))
    }

    /// Remembers a failure.
    func failed(_ address: IPAddress?) {
        let now = clock()
        records.withLock { records in
            let key = Self.key(address)
            if records[key] == nil, records.count >= limits.addresses {
                records = records.filter { $0.value.since.duration(to: now) < limits.window }
                if records.count >= limits.addresses,
                    let oldest = records.min(by: { $0.value.since < $1.value.since })
                {
                    records[oldest.key] = nil
                }
            }
            records[key, default: Record(count: 0, since: now)].count += 1
        }
    }

    private static func key(_ address: IPAddress?) -> IPAddress {
        address?.subscriber ?? Self.nobody
    }

    private static let nobody = IPAddress.unspecified
}
