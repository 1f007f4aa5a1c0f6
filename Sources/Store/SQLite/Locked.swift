import Foundation

/// State that is only touched under a lock.
///
/// On `NSLock` and not on `Synchronization.Mutex`, which waits on futexes by itself: ThreadSanitizer cannot see that,
/// and takes every use of it for a race.
final class Locked<State: Sendable>: @unchecked Sendable {
    // Sendable, since nobody reaches `state` but through `withLock`.
    private var state: State
    private let lock = NSLock()

    init(_ state: State) { self.state = state }

    func withLock<R>(_ body: (inout State) -> R) -> R {
        lock.lock()
        defer { lock.unlock() }
        return body(&state)
    }
}
