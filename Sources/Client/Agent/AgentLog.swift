import Logging
import PDFiles
import PDLogs

/// Where an agent logs: where its settings say, and all of it to a file below its state.
public enum AgentLog {
    /// A file of the debug log has this many bytes at most, and as many older ones are kept.
    static let debugFile = (bytes: 1 << 20, kept: 4)

    /// A logger, each of whose lines is written when the call returns.
    ///
    /// A file that cannot be written, on a full or read-only disk, is told in the other places and costs nothing else.
    ///
    /// - Parameter isKept: whether the debug log is written; not where this run is only to be looked at.
    public static func logger(
        _ settings: AgentSettings, state: StateDirectory, isKept: Bool = true
    ) -> Logger {
        var destinations = settings.logging.destinations
        var problems: [any Error] = []
        if isKept {
            do {
                try Files.makePrivateDirectory(state.logs)
                destinations.append(
                    .init(
                        place: .file(
                            path: "\(state.logs)/agent.log", maximumBytes: debugFile.bytes,
                            kept: debugFile.kept), level: .debug))
            } catch { problems.append(error) }
        }
        var output: LogOutput?
        while output == nil {
            var usable = LogSettings(level: settings.logging.level)
            if !destinations.isEmpty { usable.destinations = destinations }
            do {
                output = try LogOutput(usable, program: "pd-agent", isImmediate: true)
            } catch {
                problems.append(error)
                destinations.removeAll {
                    if case .file(error.path, _, _) = $0.place { true } else { false }
                }
            }
        }
        let logger = output?.logger("pd-agent") ?? Logger(label: "pd-agent")
        for problem in problems { logger.warning("a log is not written", metadata: ["reason": "\(problem)"]) }
        return logger
    }
}
