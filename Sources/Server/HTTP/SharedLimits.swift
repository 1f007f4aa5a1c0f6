import Synchronization

/// What all ports of a server share, so that one port cannot take what the others need.
struct SharedLimits: Sendable {
    /// Bytes of bodies in memory.
    let bodies: BodyBudget
    /// Requests under way.
    let requests: RequestGate

    init(bodies: BodyBudget = BodyBudget(), requests: RequestGate = RequestGate()) {
        self.bodies = bodies
        self.requests = requests
    }
}

/// How many requests may be under way at once. What comes beyond is answered at once with 503, which costs next to
/// nothing, and those that are under way are answered in time.
final class RequestGate: Sendable {
    /// Many more than a store commits in a second.
    static let standardLimit = 4096

    private let limit: Int
    private let inside = Mutex(0)

    init(limit: Int = standardLimit) {
        self.limit = limit
    }

    /// False where there is no room; else ``leave()`` is owed.
    func enter() -> Bool {
        inside.withLock { count in
            guard count < limit else { return false }
            count += 1
            return true
        }
    }

    func leave() {
        inside.withLock { $0 -= 1 }
    }
}
