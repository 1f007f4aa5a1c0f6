import PDFiles
import PDProtocol
import PDSettings

/// Why the agent did not do what it was asked to. Each has one line for people, and an exit code.
public enum AgentError: Error, Sendable, CustomStringConvertible {
    /// There is no membership in that state directory.
    case notJoined(String)
    /// The state directory belongs to another fleet.
    case otherFleet(String)
    /// The directory that is to hold the state holds something else.
    case notOurs(String)
    /// Another process works on the state directory.
    case busy(String)
    /// A settings file is wrong.
    case settings(SettingsError)
    /// A key cannot be used.
    case key(file: String, reason: String)
    /// The machine's own key cannot be used.
    case machineKey(file: String, reason: String)
    /// No report was delivered yet.
    case nothingSent
    /// Neither the release in use nor the kit brought checks.
    case noChecks
    /// The checks that there are cannot be used.
    case badChecks(String)
    /// A file or directory.
    case file(FileError)
    /// A report could not be put into the spool.
    case notKept(FileError, V1.Submission)
    /// Others than the owner may write what decides whom this machine obeys.
    case writable(String)
    /// The report could not be signed.
    case signing(String)
    /// The server was not reached, or asked to come back later.
    case notReached(server: String, reason: String, waiting: Int)
    /// The server refused.
    case refused(server: String, reason: String, waiting: Int)

    /// The exit code of the command: 1 failed, 2 wrong settings, 3 server not reached, 4 refused.
    public var exitCode: Int32 {
        switch self {
        case .settings: 2
        case .notReached: 3
        case .refused: 4
        default: 1
        }
    }

    /// What was wrong, where, and what to do.
    public var description: String {
        switch self {
        case .notJoined(let directory):
            "\(directory) belongs to no fleet yet: run pd-agent join --kit FOLDER --state \(directory)"
        case .otherFleet(let directory):
            "\(directory) belongs to another fleet: choose another --state, or give --force to leave that fleet and "
                + "drop what waits for its server"
        case .notOurs(let directory):
            "\(directory) holds files that are not an agent's: choose an empty or new directory for --state"
        case .busy(let directory):
            "another pd-agent works in \(directory): try again when it is done"
        case .settings(let error): "\(error)"
        case .key(let file, let reason): "\(file) cannot be used: \(reason); get a new kit from the server"
        case .machineKey(let file, let reason):
            "\(file) cannot be used: \(reason); remove it, and have the new key approved on the server"
        case .writable(let path):
            "\(path) can be written by others than its owner, who may have changed whom this machine obeys: look at "
                + "agent.yml and the keys, then chmod go-w \(path)"
        case .nothingSent: "this machine has told the server nothing yet: run pd-agent cycle"
        case .noChecks:
            "this machine has no checks: join with a kit of today, or install a release that brings checks.json"
        case .badChecks(let reason): "the checks cannot be used: \(reason)"
        case .file(let error), .notKept(let error, _): "\(error)"
        case .signing(let reason): "the report cannot be signed: \(reason); get a new kit from the server"
        case .notReached(let server, let reason, let waiting):
            "\(server) is not reached: \(reason); \(reports(waiting)) until the next run"
        case .refused(let server, let reason, let waiting):
            "\(server) refuses: \(reason); \(reports(waiting)); see the server's log, and pd-agent status"
        }
    }
}

private func reports(_ count: Int) -> String {
    count == 1 ? "1 report is kept" : "\(count) reports are kept"
}
