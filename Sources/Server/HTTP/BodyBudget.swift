import Synchronization

/// How many bytes of request bodies may lie in memory at once, over all connections. A peer needs no key to send a body,
/// so without such a bound anybody could fill the server's memory.
final class BodyBudget: Sendable {
    /// Several bodies of the largest size, or thousands of usual ones.
    static let standardBytes = 96 << 20

    private let left: Mutex<Int>

    init(bytes: Int = standardBytes) {
        left = Mutex(bytes)
    }

    /// What one request has taken; given back when it ends.
    struct Share: ~Copyable {
        private let budget: BodyBudget
        private var taken = 0

        init(of budget: BodyBudget) {
            self.budget = budget
        }

        /// Takes so many bytes more; false where they are not there.
        mutating func take(_ bytes: Int) -> Bool {
            let granted = budget.left.withLock { left in
                guard bytes <= left else { return false }
                left -= bytes
                return true
            }
            if granted { taken += bytes }
            return granted
        }

        deinit {
            let bytes = taken
            budget.left.withLock { $0 += bytes }
        }
    }
}
