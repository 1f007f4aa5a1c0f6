import Foundation

/// A fixed number of threads for calls that block. Neither Swift's concurrency nor an event loop ever waits.
///
/// Work that has waited too long is told so instead of being run, so that a database that is gone is answered for in
/// bounded time however many callers there are.
final class WorkerThreads: Sendable {
    private struct Job: Sendable {
        let expires: ContinuousClock.Instant
        let run: @Sendable (_ isExpired: Bool) -> Void
    }

    private final class Shared: @unchecked Sendable {
        // Sendable, since everything is only touched with the condition locked.
        let condition = NSCondition()
        var jobs: [Job] = []
        var next = 0
        var isStopped = false
    }

    private let shared = Shared()
    private let maximumWaiting: Int
    private let patience: Duration

    init(count: Int, maximumWaiting: Int, patience: Duration) {
        self.maximumWaiting = maximumWaiting
        self.patience = patience
        for number in 0..<count {
            let thread = Thread { [shared] in Self.work(shared) }
            thread.name = "PDStore.mongo.\(number)"
            thread.stackSize = 1 << 20
            thread.start()
        }
    }

    private static func work(_ shared: Shared) {
        while true {
            shared.condition.lock()
            while shared.next == shared.jobs.count, !shared.isStopped { shared.condition.wait() }
            guard shared.next < shared.jobs.count else { return shared.condition.unlock() }
            let job = shared.jobs[shared.next]
            shared.next += 1
            if shared.next > 64, shared.next * 2 > shared.jobs.count {
                shared.jobs.removeFirst(shared.next)
                shared.next = 0
            }
            shared.condition.unlock()
            job.run(ContinuousClock.now > job.expires)
        }
    }

    /// Runs the work on one of the threads.
    ///
    /// - Throws: ``StoreError/unavailable(reason:)`` where too many wait already, or where it waited too long.
    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T {
        try await withCheckedThrowingContinuation { continuation in
            let job = Job(expires: .now + patience) { isExpired in
                guard !isExpired else {
                    return continuation.resume(
                        throwing: StoreError.unavailable(reason: "too many calls wait for the database"))
                }
                continuation.resume(with: Result(catching: work))
            }
            guard offer(job) else {
                return continuation.resume(
                    throwing: StoreError.unavailable(reason: "too many calls wait for the database"))
            }
        }
    }

    private func offer(_ job: Job) -> Bool {
        shared.condition.lock()
        defer { shared.condition.unlock() }
        guard !shared.isStopped, shared.jobs.count - shared.next < maximumWaiting else { return false }
        shared.jobs.append(job)
        shared.condition.signal()
        return true
    }

    /// Ends the threads once nothing waits any more.
    func stop() {
        shared.condition.lock()
        defer { shared.condition.unlock() }
        shared.isStopped = true
        shared.condition.broadcast()
    }
}
