import Synchronization

/// How many bytes of request bodies may lie in memory at once, over all connections. A peer needs no key to send a body,
/// so without such a bound anybody could fill the server's memory.
///
/// Bytes count when they have come, not when they are promised. One half is kept for small bodies: a few peers that send
/// large ones slowly cannot keep usual reports out.
final class BodyBudget: Sendable {
    /// Several bodies of the largest size, or thousands of usual ones.
    static let standardBytes = 96 << 20

    /// Larger than usual reports are.
    static let smallBytes = 1 << 20

    private let kept: Int
    private let small: Int
    private let left: Mutex<Int>

    /// - Parameters:
    ///   - bytes: how many there are.
    ///   - small: the size up to which a body may take the last half of them.
    init(bytes: Int = standardBytes, small: Int = smallBytes) {
        left = Mutex(bytes)
        kept = bytes / 2
        self.small = small
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
            let kept = taken + bytes > budget.small ? budget.kept : 0
            let granted = budget.left.withLock { left in
                guard bytes <= left - kept else { return false }
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
