import Glibc
import PDDocument
import PDFiles

/// One process that works for a ``CollectorPool``, as the pool sees it.
final class WorkerProcess {
    /// The collector that it is at; nothing while it waits.
    private(set) var current: String?
    private(set) var since = SuspendingClock.now
    let process: pid_t
    private let input: Int32
    private(set) var outputs: [Int32]
    private var answer: [UInt8] = []
    /// The end of what it wrote to standard error.
    private(set) var complaints: [UInt8] = []

    /// Starts it.
    ///
    /// - Parameter command: the executable as an absolute path, then the arguments after the program's name.
    init(_ command: [String]) throws(CommandError) {
        let started = try ChildProcess.startWorker(command)
        process = started.process
        input = started.input
        outputs = started.outputs
    }

    /// Gives it something to do.
    func give(_ name: String) {
        current = name
        since = .now
        complaints = []
        // Where it has ended, that shows at its output.
        try? Files.writeAll(Array("\(name)\n".utf8), to: input, path: "the worker")
    }

    /// Takes what it has written.
    ///
    /// - Parameter limit: the most bytes of a result.
    /// - Returns: its answer, where that is whole.
    /// - Throws: ``Lost`` where it has ended, or what it writes is no answer.
    func read(limit: Int) throws(Lost) -> Value? {
        complaints = (complaints + (available(outputs[1]) ?? [])).suffix(4096)
        guard let bytes = available(outputs[0]) else { throw .ended }
        answer += bytes
        guard answer.count >= 4 else { return nil }
        let length = answer.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length <= limit else { throw .tooLong }
        guard answer.count >= length else { return nil }
        guard answer.count == length, let document = try? Document(bson: answer),
            document["name"]?.string == current, let result = document["result"]
        else { throw .garbled }
        answer = []
        current = nil
        return result
    }

    /// Why there is no answer.
    enum Lost: Error {
        case ended, tooLong, garbled
    }

    /// What there is to read; nothing at the end.
    private func available(_ descriptor: Int32) -> [UInt8]? {
        var content: [UInt8] = []
        while content.count < 1 << 20 {
            var result = 0
            content += [UInt8](unsafeUninitializedCapacity: 65_536) { buffer, count in
                result = retryingInterrupts { Glibc.read(descriptor, buffer.baseAddress, buffer.count) }
                count = max(0, result)
            }
            if result < 0, errno == EAGAIN { return content }
            if result <= 0 { return content.isEmpty ? nil : content }
        }
        return content
    }

    /// Ends it with all that it started.
    ///
    /// - Returns: how it ended: its exit code, or the signal's number negated.
    @discardableResult
    func end() -> Int32 {
        complaints = (complaints + (available(outputs[1]) ?? [])).suffix(4096)
        // Stopped, so that it starts nothing more and stays the parent of what it has started.
        kill(process, SIGSTOP)
        ProcessTree.endDescendants(of: process)
        kill(process, SIGKILL)
        return finish()
    }

    /// Waits for its end and closes what is open.
    private func finish() -> Int32 {
        close(input)
        var status: Int32 = 0
        _ = retryingInterrupts { Int(waitpid(process, &status, 0)) }
        for descriptor in outputs { close(descriptor) }
        return ChildProcess.returncode(status)
    }
}
