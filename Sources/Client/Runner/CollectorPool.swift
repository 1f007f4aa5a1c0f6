import Glibc
import PDDocument
import PDFiles

/// Has collectors run by worker processes: mostly by one, one after the other, and by more where one is slow.
///
/// A worker that crashes, hangs or writes nonsense costs the collector that it was at; a new one takes up the rest.
struct CollectorPool {
    /// How to start a worker: the executable as an absolute path, then the arguments after the program's name.
    let command: [String]
    let limits: CollectorLimits
    /// Whether this process adopts orphans (``adoptOrphans()``), and may end all that it did not start itself.
    var adoptsOrphans = false

    /// The results by name. Blocks the thread.
    func run(_ names: [String]) -> [String: Value] {
        var waiting = names[...]
        var results: [String: Value] = [:]
        var workers: [WorkerProcess] = []
        var startFailure: CommandError?
        while results.count < names.count {
            if workers.allSatisfy({ isBusy($0) }), !waiting.isEmpty, workers.count < limits.workers {
                do throws(CommandError) {
                    workers.append(try WorkerProcess(command))
                } catch { startFailure = error }
            }
            for worker in workers where worker.current == nil {
                if let name = waiting.popFirst() { worker.give(name) }
            }
            if workers.isEmpty, let startFailure {
                for name in waiting { results[name] = CollectorResult.failure("\(startFailure)").value }
                break
            }
            wait(workers)
            let pids = Set(workers.map(\.process))
            workers.removeAll { worker in
                guard let name = worker.current else { return false }
                do throws(WorkerProcess.Lost) {
                    if let result = try worker.read(limit: limits.output + 4096) {
                        results[name] = result
                        return false
                    }
                } catch {
                    results[name] = failure(of: worker, error, others: pids.subtracting([worker.process]))
                    return true
                }
                guard worker.since + limits.time + limits.grace < .now else { return false }
                results[name] = failure(of: worker, nil, others: pids.subtracting([worker.process]))
                return true
            }
        }
        for worker in workers { worker.end() }
        endOrphans(but: [])
        return results
    }

    /// Whether it holds up the others.
    private func isBusy(_ worker: WorkerProcess) -> Bool {
        worker.current != nil && worker.since + limits.patience <= .now
    }

    private func wait(_ workers: [WorkerProcess]) {
        var polled = workers.filter { $0.current != nil }.flatMap(\.outputs)
            .map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
        poll(&polled, nfds_t(polled.count), 250)
    }

    private func failure(
        of worker: WorkerProcess, _ lost: WorkerProcess.Lost?, others: Set<pid_t>
    ) -> Value {
        let code = worker.end()
        endOrphans(but: others)
        let reason =
            switch lost {
            case .ended where code < 0:
                "it crashed: \(String(cString: strsignal(-code))) (signal \(-code)); "
                    + "it may take \(limits.memory >> 20) MiB of memory and 8 MiB of stack"
            case .ended: "it ended by itself, with exit code \(code)"
            case .tooLong: "its result is longer than \(limits.output) bytes"
            case .garbled: "its answer cannot be read"
            case nil: "no answer within \(limits.time + limits.grace); given up"
            }
        return CollectorResult.failure(
            reason, CommandOutput(stdout: [], stderr: worker.complaints, returncode: code)
        ).value
    }

    /// What lost workers had started has become our own.
    private func endOrphans(but workers: Set<pid_t>) {
        if adoptsOrphans { ProcessTree.endDescendants(of: getpid(), but: workers) }
    }
}
