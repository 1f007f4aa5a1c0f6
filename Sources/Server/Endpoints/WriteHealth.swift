import Synchronization

/// What became of the reports of the last seconds: whether most of them could be stored.
final class WriteHealth: Sendable {
    /// How far back it looks.
    static let span = Duration.seconds(10)
    /// Fewer outcomes than this say nothing.
    static let least = 4

    private struct Second: Sendable {
        var number: Int64 = -1
        var stored = 0
        var failed = 0
    }

    private let seconds = Mutex([Second](repeating: Second(), count: 10))
    private let start = ContinuousClock.now

    /// Notes an outcome.
    func note(isStored: Bool, at now: ContinuousClock.Instant = .now) {
        let number = number(now)
        seconds.withLock { seconds in
            let place = Int(number % Int64(seconds.count))
            if seconds[place].number != number { seconds[place] = Second(number: number) }
            if isStored { seconds[place].stored += 1 } else { seconds[place].failed += 1 }
        }
    }

    /// Whether most reports could not be stored.
    func mostFail(at now: ContinuousClock.Instant = .now) -> Bool {
        let number = number(now)
        return seconds.withLock { seconds in
            let recent = seconds.filter { $0.number > number - Int64(seconds.count) }
            let failed = recent.reduce(0) { $0 + $1.failed }
            let stored = recent.reduce(0) { $0 + $1.stored }
            return failed + stored >= Self.least && failed > stored
        }
    }

    private func number(_ now: ContinuousClock.Instant) -> Int64 {
        Int64((now - start) / .seconds(1))
    }
}
