import Synchronization

/// A clock that goes on when it is told.
package final class TestClock: Sendable {
    private let time = Mutex(ContinuousClock.now)

    package init() {}

    package var now: ContinuousClock.Instant { time.withLock { $0 } }

    package func advance(by duration: Duration) {
        time.withLock { $0 += duration }
    }
}
