import PDFleet
import Synchronization

/// What all ports of a server share, so that one port cannot take what the others need.
struct SharedLimits: Sendable {
    /// Bytes of bodies in memory.
    let bodies: BodyBudget
    /// Requests whose body has come and whose answer has not.
    let requests: AdmissionGate
    /// Large answers that are being sent: peers that take them slowly hold memory.
    let answers: AdmissionGate

    init(
        bodies: BodyBudget = BodyBudget(), requests: AdmissionGate = AdmissionGate(),
        answers: AdmissionGate = AdmissionGate(limit: 1024)
    ) {
        self.bodies = bodies
        self.requests = requests
        self.answers = answers
    }
}

/// How many may be inside at once. What comes beyond is answered with 503, which costs next to nothing, and those that
/// are inside are served in time.
final class AdmissionGate: Sendable {
    private let limit: Int
    private let inside = Mutex(0)

    init(limit: Int = ServerSettings.Limits.standardRequests) {
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

    /// A place inside, or nothing where there is none.
    func place() -> Place? {
        enter() ? Place(self) : nil
    }

    /// A place that is left when nobody holds it any more.
    final class Place: Sendable {
        private let gate: AdmissionGate

        fileprivate init(_ gate: AdmissionGate) {
            self.gate = gate
        }

        deinit {
            gate.leave()
        }
    }
}
