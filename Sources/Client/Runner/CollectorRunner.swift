import CLinux
import Glibc
import PDDocument
import PDFiles
import Synchronization

/// Runs collectors. What one of them does, hang, fail, crash or flood, changes nothing for the others.
public struct CollectorRunner: Sendable {
    /// What to run.
    public var collectors: [any Collector]
    /// What each may take.
    public var limits: CollectorLimits
    /// How to start a process that runs them (``CollectorWorker``): the executable as an absolute path, then the
    /// arguments after the program's name. Nothing where they run in this process, which their crash then ends.
    public var worker: [String]?
    /// Whether this process adopts orphans, and may end all that it did not start itself.
    public var adoptsOrphans = false

    /// The most of each output of a failed command that is reported, in bytes.
    public static let reportedOutputLimit = 4096

    /// A runner.
    public init(
        _ collectors: [any Collector] = BuiltInCollectors.all, limits: CollectorLimits = .init(),
        worker: [String]? = nil
    ) {
        self.collectors = collectors
        self.limits = limits
        self.worker = worker
    }

    /// Makes descendants whose parent ends children of this process, so that nothing that a collector started outlives
    /// it. For a process that starts nothing beside collectors.
    public mutating func adoptOrphans() {
        adoptsOrphans = pd_adopt_orphans() == 0
    }

    /// The results by collector name, in the order of the names. One that failed has `status`, `reason`, `stdout`,
    /// `stderr` and `returncode` in its result's place.
    public func run(in environment: CollectorEnvironment) async -> Document {
        if let worker {
            let pool = CollectorPool(command: worker, limits: limits, adoptsOrphans: adoptsOrphans)
            let names = collectors.map(\.name).sorted()
            return Document(
                await onThread { pool.run(names) }.sorted { $0.key < $1.key }
                    .map { ($0.key, ResultHygiene.cleaned($0.value)) })
        }
        let deadline = SuspendingClock.now + limits.time
        let results = await withTaskGroup(of: (String, Value).self) { group in
            for collector in collectors {
                let context = environment.context(for: collector, deadline: deadline)
                group.addTask { (collector.name, await result(of: collector, context)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return Document(results.sorted { $0.0 < $1.0 }.map { ($0.0, ResultHygiene.cleaned($0.1)) })
    }

    private func result(of collector: any Collector, _ context: CollectorContext) async -> Value {
        let patience = limits.time + limits.grace
        return await withCheckedContinuation { continuation in
            let answer = OneAnswer(continuation)
            let watch = Task {
                // Cancelled when the answer is there; then nobody waits for this one any more.
                try? await Task.sleep(for: patience, clock: .suspending)
                answer.give(CollectorResult.failure("no answer within \(patience); given up").value)
            }
            // A thread of its own: a collector blocks, and one that hangs must not take a place in the shared pool.
            let code = startThread {
                let value: Value
                do {
                    value = try collector.collect(context)
                } catch let error as CommandError {
                    value = CollectorResult.failure("\(error)", error.output).value
                } catch {
                    value = CollectorResult.failure("\(error)").value
                }
                answer.give(value)
                watch.cancel()
            }
            if code != 0 {
                answer.give(
                    CollectorResult.failure("no thread could be started: \(systemMessage(code))").value)
                watch.cancel()
            }
        }
    }
}

/// Runs the body on a thread of its own, and waits for what it gives.
private func onThread<R: Sendable>(_ body: @escaping @Sendable () -> R) async -> R {
    await withCheckedContinuation { continuation in
        // Where there is no thread to be had, the pool's own has to do.
        if startThread({ continuation.resume(returning: body()) }) != 0 {
            continuation.resume(returning: body())
        }
    }
}

/// Resumes a continuation with the first of several answers.
private final class OneAnswer: Sendable {
    private let continuation: Mutex<CheckedContinuation<Value, Never>?>

    init(_ continuation: CheckedContinuation<Value, Never>) {
        self.continuation = Mutex(continuation)
    }

    func give(_ value: Value) {
        let waiting = continuation.withLock { waiting in
            defer { waiting = nil }
            return waiting
        }
        waiting?.resume(returning: value)
    }
}

/// What a new thread gets to do.
private final class ThreadBody: Sendable {
    let run: @Sendable () -> Void

    init(_ run: @escaping @Sendable () -> Void) {
        self.run = run
    }
}

/// Runs the body on a new thread that nobody waits for.
///
/// - Returns: zero, or the system's error number.
private func startThread(_ body: @escaping @Sendable () -> Void) -> Int32 {
    var attributes = pthread_attr_t()
    pthread_attr_init(&attributes)
    defer { pthread_attr_destroy(&attributes) }
    pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    let box = Unmanaged.passRetained(ThreadBody(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, &attributes,
        { argument in
            if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
            return nil
        }, box.toOpaque())
    if code != 0 { box.release() }
    return code
}
