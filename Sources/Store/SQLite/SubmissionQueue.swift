/// Reports that wait for the commit that they will share.
///
/// While one group is being committed, the next gathers here. The queue is bounded: a database that is slower than the
/// fleet must not be found out by running out of memory.
final class SubmissionQueue: Sendable {
    /// One report and the caller who waits for its receipt.
    struct Entry: Sendable {
        let report: HostReport
        let caller: CheckedContinuation<Result<SubmissionReceipt, StoreError>, Never>
        /// When it came.
        let since = ContinuousClock.now
    }

    /// What became of an entry that was offered.
    enum Admission {
        /// It waits, and the commit that is under way will be followed by one that takes it.
        case queued
        /// It waits, and nothing is under way: the caller must start a commit.
        case first
        /// It was turned away.
        case full
    }

    private struct State: Sendable {
        var entries: [Entry] = []
        var bytes = 0
        var isCommitting = false
    }

    private let state = Locked(State())
    private let maximumCount: Int
    private let maximumBytes: Int

    init(maximumCount: Int, maximumBytes: Int) {
        self.maximumCount = maximumCount
        self.maximumBytes = maximumBytes
    }

    /// Adds an entry. Where nothing waits, one is taken whatever its size.
    func offer(_ entry: Entry) -> Admission {
        state.withLock { state in
            let bytes = state.bytes + entry.report.byteCount
            guard state.entries.isEmpty || (state.entries.count < maximumCount && bytes <= maximumBytes)
            else {
                return .full
            }
            state.entries.append(entry)
            state.bytes = bytes
            defer { state.isCommitting = true }
            return state.isCommitting ? .queued : .first
        }
    }

    /// Takes everything that waits, to be committed as one group.
    func takeGroup() -> [Entry] {
        state.withLock { state in
            state.bytes = 0
            let group = state.entries
            state.entries = []
            return group
        }
    }

    /// How many wait.
    var count: Int { state.withLock { $0.entries.count } }

    /// Whether a commit is under way.
    var isCommitting: Bool { state.withLock { $0.isCommitting } }

    /// Ends a commit; whether another one must follow.
    func finishGroup() -> Bool {
        state.withLock { state in
            state.isCommitting = !state.entries.isEmpty
            return state.isCommitting
        }
    }
}
