import Foundation
import PDCrypto
import PDFleet
import PDLegacy
import Synchronization

/// Compares passwords with their hashes on threads of its own: each takes a tenth of a second, in which no event loop
/// may stand still. A few at once, and few that wait: whoever sends passwords cannot take the processors.
final class PasswordChecker: Sendable {
    /// How many may wait for their turn.
    static let queueLimit = 32

    private let queue: OperationQueue
    private let pending = Mutex(0)

    init(parallelism: Int = max(1, ProcessInfo.processInfo.activeProcessorCount / 2)) {
        queue = OperationQueue()
        queue.maxConcurrentOperationCount = parallelism
        queue.qualityOfService = .utility
    }

    /// Whether one of the user's hashes matches. An unknown user, and one whose hash is cheaper than others, costs what
    /// the costliest hash of the rule costs.
    func matches(_ credentials: Credentials, _ rule: AccessRule) async throws(Refusal) -> Bool {
        let admitted = pending.withLock { count in
            guard count < Self.queueLimit else { return false }
            count += 1
            return true
        }
        guard admitted else { throw .unavailable("too many passwords to check at once", retryAfter: 5) }
        defer { pending.withLock { $0 -= 1 } }
        let result: Result<Bool, any Error> = await withCheckedContinuation { continuation in
            queue.addOperation {
                continuation.resume(returning: Result { try Self.compare(credentials, rule) })
            }
        }
        do {
            return try result.get()
        } catch {
            throw .unavailable("the password could not be checked: \(error)", retryAfter: 5)
        }
    }

    private static func compare(_ credentials: Credentials, _ rule: AccessRule) throws -> Bool {
        for hash in rule.passwords[credentials.user] ?? []
        where try hash.matches(credentials.password) { return true }
        let more = rule.roundsBeyond(credentials.user)
        guard more > 0 else { return false }
        return try PasswordHash.matches(credentials.password, nil, roundsIfUnknown: more)
    }
}
