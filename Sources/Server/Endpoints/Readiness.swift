import Foundation
import Logging
import PDStore

/// Whether the server can do its work: the database takes a write, most reports are stored, and nobody has told the
/// server to stop.
actor Readiness {
    /// How long an answer holds: whoever asks often makes no more writes.
    static let validity = Duration.seconds(1)
    /// How long the database may take. Whoever asks waits no longer than this.
    static let limit = Duration.milliseconds(1500)
    /// How long the write waits for another process: reports that come meanwhile wait behind it.
    static let patience = Duration.seconds(1)

    private let leases: any LeaseStore
    private let now: @Sendable () -> Int64
    private let logger: Logger
    private let holder = UUID().uuidString
    private let writes: WriteHealth
    private var last: (at: ContinuousClock.Instant, refusal: Refusal?)?
    private var probe: Task<StoreError?, Never>?
    private var isStopping = false

    init(
        leases: any LeaseStore, writes: WriteHealth, now: @escaping @Sendable () -> Int64, logger: Logger
    ) {
        self.leases = leases
        self.writes = writes
        self.now = now
        self.logger = logger
    }

    /// Returns where it can.
    func check() async throws(Refusal) {
        guard !isStopping else { throw .unavailable("the server is stopping", retryAfter: 10) }
        // A write may just have found room where most do not.
        guard !writes.mostFail() else {
            throw .unavailable("most reports of the last seconds could not be stored", retryAfter: 10)
        }
        if let last, last.at.duration(to: .now) < Self.validity {
            if let refusal = last.refusal { throw refusal }
            return
        }
        let refusal = await outcome().map { error in
            logger.error("the database cannot be written: \(error)")
            return Refusal(error)
        }
        last = (.now, refusal)
        if let refusal { throw refusal }
    }

    /// What became of one write, which all share who ask while it is under way; after a while that it takes too long.
    private func outcome() async -> StoreError? {
        let probe = probe ?? start()
        let (outcomes, sink) = AsyncStream.makeStream(of: StoreError?.self)
        let waiting = Task { sink.yield(await probe.value) }
        let timer = Task {
            // Where it is cancelled, the answer is there.
            guard (try? await Task.sleep(for: Self.limit)) != nil else { return }
            sink.yield(.unavailable(reason: "a write takes more than \(Self.limit)"))
        }
        defer {
            timer.cancel()
            waiting.cancel()
        }
        for await outcome in outcomes { return outcome }
        return nil
    }

    private func start() -> Task<StoreError?, Never> {
        let task = Task { [leases, holder, now] () -> StoreError? in
            do throws(StoreError) {
                try await leases.proveWritable(holder: holder, at: now(), patience: Self.patience)
                return nil
            } catch { return error }
        }
        probe = task
        Task {
            _ = await task.value
            probe = nil
        }
        return task
    }

    /// From now on the answer is no, so that nobody sends more.
    func stop() {
        isStopping = true
    }
}
