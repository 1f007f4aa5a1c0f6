import Dispatch
import Logging
import PDBasics
import PDFiles
import Synchronization

/// Takes lines from anywhere and writes them from one thread of its own: whoever logs never waits for a disk or another
/// machine. Where lines come faster than they can be written, some are left out, and their number is told.
package final class LogOutput: Sendable {
    /// How many lines may wait.
    static let waitingLimit = 10_000

    /// A sink with what it wants to know. `@unchecked`, since it is touched only on the queue.
    private struct Destination: @unchecked Sendable {
        let level: Logger.Level
        let sink: any LogSink
    }

    private let queue = DispatchQueue(label: "log")
    private let destinations: [Destination]
    private let waiting = Mutex<(count: Int, lost: Int)>((0, 0))
    private let level: Logger.Level
    private let isImmediate: Bool

    /// Opens the destinations.
    ///
    /// - Parameters:
    ///   - program: what the system's log knows it as.
    ///   - isImmediate: whether whoever logs waits until the line is written, as suits a program that ends soon.
    /// - Throws: ``FileError`` for a file that cannot be written.
    package convenience init(
        _ settings: LogSettings, program: String, isImmediate: Bool = false
    ) throws(FileError) {
        var sinks: [(Logger.Level, any LogSink)] = []
        for destination in settings.destinations {
            let sink: any LogSink
            switch destination.place {
            case .standardError: sink = StandardErrorSink(json: destination.json)
            case .syslog(let settings):
                sink = SyslogSink(settings, program: program, json: destination.json)
            case .file(let path, let maximumBytes, let kept):
                sink = try FileSink(
                    path: path, maximumBytes: maximumBytes, kept: kept, json: destination.json)
            }
            sinks.append((destination.level, sink))
        }
        self.init(sinks, isImmediate: isImmediate)
    }

    init(_ sinks: sending [(Logger.Level, any LogSink)], isImmediate: Bool = false) {
        self.isImmediate = isImmediate
        destinations = sinks.map { Destination(level: $0.0, sink: $0.1) }
        level = destinations.map(\.level).min() ?? .info
    }

    /// A logger that writes here.
    package func logger(_ label: String) -> Logger {
        Logger(label: label) { _ in Handler(output: self, logLevel: self.level) }
    }

    /// Returns when everything that was logged before is written. To be called before the process ends.
    package func flush() {
        queue.sync {}
    }

    private func take(_ line: LogLine) {
        if isImmediate { return queue.sync { write(line) } }
        let isTaken = waiting.withLock { waiting in
            guard waiting.count < Self.waitingLimit else {
                waiting.lost += 1
                return false
            }
            waiting.count += 1
            return true
        }
        guard isTaken else { return }
        queue.async { [self] in
            let lost = waiting.withLock { waiting in
                defer { waiting.lost = 0 }
                waiting.count -= 1
                return waiting.lost
            }
            write(line)
            guard lost > 0 else { return }
            write(
                LogLine(
                    time: line.time, level: .warning, message: "log lines left out",
                    metadata: [("count", "\(lost)")]))
        }
    }

    private func write(_ line: LogLine) {
        for destination in destinations where line.level >= destination.level {
            destination.sink.write(line)
        }
    }

    private struct Handler: LogHandler {
        let output: LogOutput
        var metadata: Logger.Metadata = [:]
        var logLevel: Logger.Level

        init(output: LogOutput, logLevel: Logger.Level) {
            self.output = output
            self.logLevel = logLevel
        }

        subscript(metadataKey key: String) -> Logger.Metadata.Value? {
            get { metadata[key] }
            set { metadata[key] = newValue }
        }

        func log(event: LogEvent) {
            let metadata = metadata.merging(event.metadata ?? [:]) { $1 }
            output.take(
                LogLine(
                    time: Moment.now().milliseconds, level: event.level,
                    message: "\(event.message)",
                    metadata: metadata.sorted { $0.key < $1.key }.map { ($0.key, "\($0.value)") }))
        }
    }
}
