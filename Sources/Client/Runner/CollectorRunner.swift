import Glibc
import PDDocument
import PDFiles
import Synchronization

/// Runs collectors side by side. What one of them does, hang, fail or flood, changes nothing for the others.
public struct CollectorRunner: Sendable {
    /// What to run.
    public var collectors: [any Collector]
    /// How long each may take.
    public var timeout: Duration
    /// How much longer one that does not heed its deadline is waited for. Commands are killed at the deadline, so only
    /// a system call that does not return gets this far.
    public var grace: Duration

    /// The most of each output of a failed command that is reported, in bytes.
    public static let reportedOutputLimit = 4096

    /// A runner.
    public init(
        _ collectors: [any Collector] = BuiltInCollectors.all, timeout: Duration = .seconds(60),
        grace: Duration = .seconds(2)
    ) {
        self.collectors = collectors
        self.timeout = timeout
        self.grace = grace
    }

    /// The results by collector name, in the order of the names. One that failed has `status`, `reason`, `stdout`,
    /// `stderr` and `returncode` in its result's place.
    public func run(in environment: CollectorEnvironment) async -> Document {
        let deadline = SuspendingClock.now + timeout
        let results = await withTaskGroup(of: (String, Value).self) { group in
            for collector in collectors {
                let context = environment.context(for: collector, deadline: deadline)
                group.addTask { (collector.name, await result(of: collector, context)) }
            }
            return await group.reduce(into: []) { $0.append($1) }
        }
        return Document(results.sorted { $0.0 < $1.0 })
    }

    private func result(of collector: any Collector, _ context: CollectorContext) async -> Value {
        let patience = timeout + grace
        return await withCheckedContinuation { continuation in
            let answer = OneAnswer(continuation)
            let watch = Task {
                // Cancelled when the answer is there; then nobody waits for this one any more.
                try? await Task.sleep(for: patience, clock: .suspending)
                answer.give(Self.failure("no answer within \(patience); given up", nil))
            }
            // A thread of its own: a collector blocks, and one that hangs must not take a place in the shared pool.
            let code = startThread {
                let value: Value
                do {
                    value = try collector.collect(context)
                } catch let error as CommandError {
                    value = Self.failure("\(error)", error.output)
                } catch {
                    value = Self.failure("\(error)", nil)
                }
                answer.give(value)
                watch.cancel()
            }
            if code != 0 {
                answer.give(Self.failure("no thread could be started: \(systemMessage(code))", nil))
                watch.cancel()
            }
        }
    }

    private static func failure(_ reason: String, _ output: CommandOutput?) -> Value {
        let text = { (bytes: [UInt8]?) in
            Value.string(String(decoding: (bytes ?? []).prefix(reportedOutputLimit), as: UTF8.self))
        }
        return [
            "status": "unknown", "reason": .string(reason), "stdout": text(output?.stdout),
            "stderr": text(output?.stderr), "returncode": .int(Int(output?.returncode ?? 1)),
        ]
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
