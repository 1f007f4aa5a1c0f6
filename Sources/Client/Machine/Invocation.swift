import Glibc
import PDFiles

/// A command with its arguments, and as whom it runs.
public struct Invocation: Sendable, Equatable {
    /// Its arguments, its name first.
    public var arguments: [String]
    /// What to run; nothing for what ``Machine/searchPath`` has under the name.
    public var executable: String?
    /// In whose session it runs; nothing for the agent's own user.
    public var session: UserSession?

    /// A command.
    public init(arguments: [String], executable: String? = nil, session: UserSession? = nil) {
        self.arguments = arguments
        self.executable = executable
        self.session = session
    }

    /// Runs it on this machine, in the C locale.
    func run(until deadline: SuspendingClock.Instant) throws(CommandError) -> CommandOutput {
        var arguments = arguments
        // sshd wants to be started by an absolute path.
        if let executable { arguments[0] = executable }
        if let session {
            arguments = ["env", "-i"] + session.environment + arguments
            if session.uid != geteuid() {
                arguments =
                    ["setpriv", "--reuid=\(session.uid)", "--regid=\(Self.group(of: session.uid))"]
                    + ["--init-groups", "--no-new-privs", "--"] + arguments
            }
        }
        let program: String
        if let executable { program = executable } else { program = try Self.find(arguments.first ?? "") }
        return try ChildProcess(
            executable: program, arguments: arguments,
            environment: ["LC_ALL=C", "PATH=" + Machine.searchPath.joined(separator: ":")],
            deadline: deadline, outputLimit: Machine.outputLimit
        ).run()
    }

    private static func find(_ name: String) throws(CommandError) -> String {
        // A whole path is one that the collector itself names, of a program outside of the usual directories.
        if name.hasPrefix("/"), Files.exists(name) { return name }
        guard
            !name.contains("/"),
            let path = Machine.searchPath.map({ "\($0)/\(name)" }).first(where: Files.exists)
        else { throw .notInstalled(name) }
        return path
    }

    /// The number of a user's own group; that of nobody where the user is gone.
    private static func group(of uid: UInt32) -> UInt32 {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var buffer = [CChar](repeating: 0, count: 16_384)
        guard getpwuid_r(uid, &entry, &buffer, buffer.count, &found) == 0, found != nil else { return 65_534 }
        return entry.pw_gid
    }
}
