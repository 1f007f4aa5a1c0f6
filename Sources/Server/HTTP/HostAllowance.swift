import PDFleet
import PDProtocol
import Synchronization

/// How many signed requests one host may make: an agent that runs wild gets 429, and the others notice nothing.
///
/// A bucket for each host: it is full at first, each request takes one, and it fills again at a steady rate. A host has
/// one for each address that it speaks from: whoever plays its requests back from elsewhere empties another.
final class HostAllowance: Sendable {
    /// What a host may do.
    struct Limits: Sendable, Equatable {
        /// The most requests at once.
        var burst = 1200.0
        /// Requests a second, in the long run.
        var perSecond = 20.0
    }

    private struct Speaker: Hashable {
        let host: Hostname
        let address: IPAddress?

        init(_ host: Hostname, _ address: IPAddress?) {
            self.host = host
            self.address = address?.subscriber
        }
    }

    private struct Bucket {
        var left: Double
        var at: ContinuousClock.Instant
    }

    private let limits: Limits
    private let clock: @Sendable () -> ContinuousClock.Instant
    private let buckets = Mutex<[Speaker: Bucket]>([:])

    init(limits: Limits = .init(), clock: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limits = limits
        self.clock = clock
    }

    /// Takes one; only hosts whose signature was verified may get here, since each is remembered for a while.
    func take(_ host: Hostname, _ address: IPAddress?) throws(Refusal) {
        let now = clock()
        let speaker = Speaker(host, address)
        let taken = buckets.withLock { buckets -> Bool in
            if buckets.count >= 100_000, buckets[speaker] == nil { forgetFull(&buckets, now) }
            let bucket = buckets[speaker]
            var left = bucket.map { filled($0, now) } ?? limits.burst
            guard left >= 1 else { return false }
            left -= 1
            buckets[speaker] = Bucket(left: left, at: now)
            return true
        }
        guard taken else {
            let seconds = max(1, Int((1 / limits.perSecond).rounded(.up)))
            throw .tooMany("more requests of this host than are allowed", retryAfter: seconds)
        }
    }

    /// Undoes a ``take(_:_:)``: the request was one that had been taken before, and may not be the host's own doing.
    func giveBack(_ host: Hostname, _ address: IPAddress?) {
        buckets.withLock { $0[Speaker(host, address)]?.left += 1 }
    }

    private func filled(_ bucket: Bucket, _ now: ContinuousClock.Instant) -> Double {
        min(limits.burst, bucket.left + (bucket.at.duration(to: now) / .seconds(1)) * limits.perSecond)
    }

    /// A full bucket is as good as none.
    private func forgetFull(_ buckets: inout [Speaker: Bucket], _ now: ContinuousClock.Instant) {
        buckets = buckets.filter { filled($0.value, now) < limits.burst }
    }
}
