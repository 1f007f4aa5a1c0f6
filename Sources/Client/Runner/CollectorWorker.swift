import CLinux
import Glibc
import PDDocument
import PDFiles

/// The process in which collectors run, apart from the agent that delivers.
///
/// It reads names of collectors from standard input, one a line, and answers each on standard output by one BSON document
/// `{name, result}`, until its input ends. What a collector started and left is ended before the next one begins.
public struct CollectorWorker {
    private let collectors: [String: any Collector]
    private let environment: CollectorEnvironment
    private let limits: CollectorLimits

    /// A worker for these collectors.
    public init(
        _ collectors: [any Collector], environment: CollectorEnvironment, limits: CollectorLimits = .init()
    ) {
        self.collectors = Dictionary(collectors.map { ($0.name, $0) }) { first, _ in first }
        self.environment = environment
        self.limits = limits
    }

    /// Works until there is nothing more to do. For a process that is there for this alone: it limits its memory, adopts
    /// orphans, and ends with the process that started it.
    public func run() {
        let output = Self.takeOutput()
        confine()
        while let name = readLine() {
            let result = collectors[name].map(result) ?? .failure("there is no such collector")
            // Also what left its process group, and its session.
            ProcessTree.endDescendants(of: getpid())
            let answer: Document = ["name": .string(name), "result": result.value]
            do {
                try Files.writeAll(answer.bson, to: output, path: "the agent")
            } catch {
                // The agent has gone.
                return
            }
        }
    }

    private func result(_ collector: any Collector) -> CollectorResult {
        let context = environment.context(for: collector, deadline: .now + limits.time)
        do {
            return .success(try collector.collect(context))
        } catch let error as CommandError {
            return .failure("\(error)", error.output)
        } catch {
            return .failure("\(error)")
        }
    }

    /// Takes standard output for the answers; what a collector prints goes to standard error.
    private static func takeOutput() -> Int32 {
        let output = fcntl(1, F_DUPFD_CLOEXEC, 3)
        dup2(2, 1)
        return output
    }

    private func confine() {
        // What cannot be had (a kernel without it) is done without: the agent watches as well.
        _ = pd_adopt_orphans()
        _ = pd_end_with_parent()
        var memory = rlimit(rlim_cur: rlim_t(limits.memory), rlim_max: rlim_t(limits.memory))
        setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &memory)
        var core = rlimit(rlim_cur: 0, rlim_max: 0)
        setrlimit(__rlimit_resource_t(RLIMIT_CORE.rawValue), &core)
        signal(SIGPIPE, SIG_IGN)
    }
}
