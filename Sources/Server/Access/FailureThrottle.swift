import PDFleet
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
        /// How long a try waits for those before it.
        var patience = Duration.seconds(5)
    }

    /// What becomes of a try.
    enum Admission: Equatable {
        /// It may be made, and ``end(_:failed:)`` is owed.
        case admitted
        /// As many as may still fail are under way.
        case full
        /// Too many have failed; none is made for so long.
        case refused(Duration)
    }

    private struct Record {
        var failed = 0
        /// Tries that are being made, each of which may fail.
        var underWay = 0
        /// When the first of the failures was.
        var since: ContinuousClock.Instant
    }

    private let limits: Limits
    private let clock: @Sendable () -> ContinuousClock.Instant
    private let records = Mutex<[IPAddress: Record]>([:])

    init(limits: Limits = .init(), clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limits = limits
        self.clock = clock
    }

    /// Begins a try, once there is room for it to fail: however many tries come at once, no more than the limit of them
    /// fail, and those that are right are all made. ``end(_:failed:)`` is owed. Peers without an address share one record.
    ///
    /// - Throws: ``Refusal/tooMany(_:retryAfter:)`` where the address has failed too often,
    ///   ``Refusal/unavailable(_:retryAfter:)`` where too many tries are before this one.
    func begin(_ address: IPAddress?) async throws(Refusal) {
        let end = ContinuousClock.now + limits.patience
        while true {
            switch admit(address) {
            case .admitted: return
            case .refused(let left):
                throw .tooMany(
                    "too many failures from this address", retryAfter: Int((left / .seconds(1)).rounded(.up)))
            case .full: break
            }
            guard ContinuousClock.now < end, (try? await Task.sleep(for: .milliseconds(20))) != nil else {
                throw .unavailable("too many tries at once from this address", retryAfter: 1)
            }
        }
    }

    /// ``begin(_:)`` without waiting.
    func admit(_ address: IPAddress?) -> Admission {
        let now = clock()
        let key = address?.subscriber ?? .unspecified
        return records.withLock { records in
            var record = records[key] ?? Record(since: now)
            let left = limits.window - record.since.duration(to: now)
            if left <= .zero { record.failed = 0 }
            guard record.failed < limits.failures else { return .refused(left) }
            guard record.failed + record.underWay < limits.failures else { return .full }
            if records[key] == nil, records.count >= limits.addresses { makeRoom(&records, now) }
            record.underWay += 1
            records[key] = record
            return .admitted
        }
    }

    /// The try has been made, or could not be made, which is no failure.
    func end(_ address: IPAddress?, failed: Bool) {
        let now = clock()
        let key = address?.subscriber ?? .unspecified
        records.withLock { records in
            guard var record = records[key] else { return }
            record.underWay -= 1
            if failed {
                if record.failed == 0 { record.since = now }
                record.failed += 1
            }
            records[key] = record.failed + record.underWay > 0 ? record : nil
        }
    }

    /// Forgets what is over, else what began first. What is under way is bounded elsewhere.
    private func makeRoom(_ records: inout [IPAddress: Record], _ now: ContinuousClock.Instant) {
        records = records.filter {
            $0.value.underWay > 0 || $0.value.since.duration(to: now) < limits.window
        }
        guard records.count >= limits.addresses,
            let oldest = records.filter({ $0.value.underWay == 0 }).min(by: {
                $0.value.since < $1.value.since
            })
        else { return }
        records[oldest.key] = nil
    }
}
