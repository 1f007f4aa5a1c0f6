import PDFiles

/// What a command that ended left behind.
public struct CommandOutput: Sendable, Equatable {
    /// What it wrote to standard output.
    public var stdout: [UInt8]
    /// What it wrote to standard error.
    public var stderr: [UInt8]
    /// Its exit code, or the number of the signal that ended it, negated.
    public var returncode: Int32

    /// A result, as recorded or as read.
    public init(stdout: [UInt8], stderr: [UInt8] = [], returncode: Int32 = 0) {
        self.stdout = stdout
        self.stderr = stderr
        self.returncode = returncode
    }

    /// Standard output as text; what is not UTF-8 is replaced.
    public var text: String { String(decoding: stdout, as: UTF8.self) }

    /// The first line of standard error, else how the command ended.
    var complaint: String {
        let lines = String(decoding: stderr.prefix(4096), as: UTF8.self).split(whereSeparator: \.isNewline)
        return lines.first.map(String.init)
            ?? (returncode < 0 ? "ended by signal \(-returncode)" : "exit code \(returncode)")
    }
}

/// Why a command has no result.
public enum CommandError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The collector that wanted it did not name it among its commands.
    case notAllowed(String)
    /// It is not in any directory of ``Machine/searchPath``.
    case notInstalled(String)
    /// The system did not start it.
    case notStarted(String, code: Int32)
    /// It ran past the deadline; it was killed with all that it started.
    case timedOut(String, CommandOutput)
    /// It wrote more than ``Machine/outputLimit``; it was killed with all that it started.
    case outputTooLong(String, CommandOutput)
    /// It and what it started were more than ``CollectorLimits/processes``; all were killed.
    case tooManyProcesses(String, CommandOutput)
    /// It and what it started took more than ``CollectorLimits/memory``; all were killed.
    case tooMuchMemory(String, CommandOutput)

    /// One line for people.
    public var description: String {
        switch self {
        case .notAllowed(let name): "\(name) is none of the commands that this collector may run"
        case .notInstalled(let name): "\(name) is not installed"
        case .notStarted(let name, let code): "\(name) could not be started: \(systemMessage(code))"
        case .timedOut(let name, _): "\(name) did not finish in time"
        case .outputTooLong(let name, _): "\(name) wrote too much"
        case .tooManyProcesses(let name, _): "\(name) started too many processes"
        case .tooMuchMemory(let name, _): "\(name) took too much memory"
        }
    }

    /// What the command had written by then.
    var output: CommandOutput? {
        switch self {
        case .notAllowed, .notInstalled, .notStarted: nil
        case .timedOut(_, let output), .outputTooLong(_, let output), .tooManyProcesses(_, let output),
            .tooMuchMemory(_, let output):
            output
        }
    }
}
