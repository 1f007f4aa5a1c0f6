import Foundation
import GRDB

/// How processes that write the same database get their turns.
///
/// SQLite has no queue for its write lock: whoever waits looks again now and then, and SQLite's own wait looks ever
/// more seldom, down to ten times a second. A process that commits without a break lets the lock go for some microseconds
/// only; on a slow disk the others then miss it for seconds and fail. Here whoever waits looks every millisecond,
/// and whoever writes without a break makes one now and then that is longer than that.
final class WriterTurns: Sendable {
    private struct State: Sendable {
        /// When this process began to write without a break.
        var busySince = ContinuousClock.now
        /// When it last let go of the lock.
        var freeSince = ContinuousClock.now
    }

    /// How often whoever waits looks.
    private static let interval = Duration.milliseconds(1)
    /// How long a break is: some looks of others, who may be late on a busy machine.
    private static let breakLength = Duration.milliseconds(4)
    /// After how long a break is due.
    private static let longestRun = Duration.milliseconds(200)

    private let state = Locked(State())
    /// Since when a thread waits.
    private let waiting = Locked<[pthread_t: ContinuousClock.Instant]>([:])
    /// How long a thread may wait that has another patience than usual.
    private let patiences = Locked<[pthread_t: Duration]>([:])
    private let timeout: Duration

    /// - Parameter timeout: how long to wait for another process before giving up.
    init(timeout: Duration) { self.timeout = timeout }

    /// Writes, after a break where one is due. Blocks the thread.
    ///
    /// - Parameter patience: how long to wait for another process, where that is another time than usual.
    func write<T>(patience: Duration? = nil, _ body: () throws -> T) rethrows -> T {
        let thread = pthread_self()
        if let patience { patiences.withLock { $0[thread] = patience } }
        defer { if patience != nil { patiences.withLock { $0[thread] = nil } } }
        let isBreakDue = state.withLock { state in
            let now = ContinuousClock.now
            if now - state.freeSince >= Self.breakLength { state.busySince = now }
            return now - state.busySince >= Self.longestRun
        }
        if isBreakDue { Self.sleep(Self.breakLength) }
        defer { state.withLock { $0.freeSince = .now } }
        return try body()
    }

    /// What SQLite does where another process holds a lock: it waits until the time is over.
    var busyMode: Database.BusyMode {
        .callback { [self] tries in
            // A call of SQLite's waits on one thread, whichever connection it belongs to.
            let thread = pthread_self()
            let timeout = patiences.withLock { $0[thread] } ?? timeout
            let waited = waiting.withLock { waiting in
                let now = ContinuousClock.now
                if tries == 0 { waiting[thread] = now }
                let waited = waiting[thread].map { now - $0 } ?? .zero
                if waited >= timeout { waiting[thread] = nil }
                return waited
            }
            guard waited < timeout else { return false }
            Self.sleep(Self.interval)
            return true
        }
    }

    private static func sleep(_ duration: Duration) {
        usleep(UInt32(duration / .microseconds(1)))
    }
}
