import Glibc
import PDBasics
import PDFleet
import Synchronization

/// What requests may cost whose signature is refused, for each address, in processor time: one sender cannot take a core.
///
/// A bucket of time for each address: it is full at first, what a refused request took is taken from it, and it fills
/// again at a steady rate. An address whose bucket is empty is refused before anything is looked at, until it has some
/// again. Good signatures cost nothing here: an office of any size behind one address, some of whose machines have a wrong
/// key, never comes near the limit. (Nothing is paid back for good ones: who recorded one could send it again and again.)
final class RefusalAllowance: Sendable {
    /// What an address may cost.
    struct Limits: Sendable, Equatable {
        /// The most processor time at once.
        var burst = Duration.seconds(5)
        /// Of one core, in the long run.
        var share = 0.1
        /// How many addresses are remembered; those beyond share one bucket.
        var addresses = 50_000
    }

    private struct Bucket {
        var left: Duration
        var at: ContinuousClock.Instant
    }

    private let limits: Limits
    private let clock: SteadyClock
    private let processorTime: @Sendable () -> Duration
    private let buckets = Mutex<[IPAddress: Bucket]>([:])

    /// - Parameters:
    ///   - clock: by which buckets fill.
    ///   - processorTime: what the calling thread has used so far.
    init(
        limits: Limits = .init(), clock: @escaping SteadyClock = { .now },
        processorTime: @escaping @Sendable () -> Duration = RefusalAllowance.threadTime
    ) {
        self.limits = limits
        self.clock = clock
        self.processorTime = processorTime
    }

    /// Verifies something that this address sent, and charges for it if it is refused.
    ///
    /// - Throws: what `verify` throws, or ``Refusal/tooMany(_:retryAfter:)`` without calling it.
    func verifying<Value>(
        for address: IPAddress?, _ verify: () throws(Refusal) -> Value
    ) throws(Refusal) -> Value {
        try trying(for: address, verify).get()
    }

    /// The same where something else may still vouch for what was sent.
    ///
    /// - Returns: what `verify` returns or throws.
    /// - Throws: ``Refusal/tooMany(_:retryAfter:)`` without calling it.
    func trying<Value>(
        for address: IPAddress?, _ verify: () throws(Refusal) -> Value
    ) throws(Refusal) -> Result<Value, Refusal> {
        try admit(address)
        let start = processorTime()
        do {
            return .success(try verify())
        } catch {
            charge(address, processorTime() - start)
            return .failure(error)
        }
    }

    private func admit(_ address: IPAddress?) throws(Refusal) {
        let now = clock()
        let missing = buckets.withLock { buckets -> Duration in
            guard let bucket = buckets[key(address, buckets)] else { return .zero }
            let left = filled(bucket, now)
            return left > .zero ? .zero : .microseconds(1) - left
        }
        guard missing > .zero else { return }
        let seconds = (missing / .seconds(1)) / limits.share
        throw .tooMany(
            "too many requests of this address were refused",
            retryAfter: max(1, Int(min(seconds, 3600).rounded(.up))))
    }

    private func charge(_ address: IPAddress?, _ cost: Duration) {
        let now = clock()
        buckets.withLock { buckets in
            if buckets.count >= limits.addresses {
                // A full bucket is as good as none.
                buckets = buckets.filter { filled($0.value, now) < limits.burst }
            }
            let key = key(address, buckets)
            let left = buckets[key].map { filled($0, now) } ?? limits.burst
            buckets[key] = Bucket(left: left - cost, at: now)
        }
    }

    /// Under what an address is remembered. Peers without one share a bucket with those that there is no room for.
    private func key(_ address: IPAddress?, _ buckets: [IPAddress: Bucket]) -> IPAddress {
        guard let subscriber = address?.subscriber else { return .unspecified }
        return buckets[subscriber] != nil || buckets.count < limits.addresses ? subscriber : .unspecified
    }

    private func filled(_ bucket: Bucket, _ now: ContinuousClock.Instant) -> Duration {
        min(limits.burst, bucket.left + bucket.at.duration(to: now) * limits.share)
    }

    /// What the calling thread has used so far (clock_gettime(2)).
    static func threadTime() -> Duration {
        var time = timespec()
        // It fails for no thread that runs.
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
