import Synchronization

/// What all ports of a server share, so that one port cannot take what the others need.
struct SharedLimits: Sendable {
    /// Bytes of bodies in memory.
    let bodies: BodyBudget
    /// Requests under way.
    let requests: AdmissionGate

    init(bodies: BodyBudget = BodyBudget(), requests: AdmissionGate = AdmissionGate()) {
        self.bodies = bodies
        self.requests = requests
    }
}

/// How many may be inside at once. What comes beyond is answered at once with 503, which costs next to nothing, and those
/// that are inside are served in time.
final class AdmissionGate: Sendable {
    /// Requests: many more than a store commits in a second.
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
