import ArgumentParser
import Glibc
import PDBasics
import PDClient
import PDDocument
import PDFiles
import PDPluginKit
import PDToolSupport

/// What plugins in any language need of the agent.
@main
struct PDPlugin: Tool {
    static let configuration = CommandConfiguration(
        commandName: "pd-plugin",
        abstract: "Helps plugins of the agent, in whatever language they are written.",
        version: BuildStamp.text,
        subcommands: [
            CacheCommand.self, SettingCommand.self, LogCommand.self, XUsersCommand.self,
            SessionRunCommand.self,
            LintCommand.self,
        ])
}

/// `pd-plugin cache`.
struct CacheCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cache", abstract: "Keeps a JSON value under a key, or writes what was kept.",
        discussion: "Exit codes: 0 done, 1 nothing was kept or it cannot be kept, 2 bad usage.")

    @Argument(help: "The key: a name without a slash.") var key: String
    @Argument(help: "The JSON value; without it, what was kept is written.") var value: String?

    func run() throws {
        let plugin = PluginEnvironment.current
        guard let value else {
            guard let kept = plugin.cached(key) else {
                throw ToolFailure(.failed, "nothing was kept as \(key)")
            }
            print(kept.json())
            return
        }
        guard let document = try? Document(json: Array("{\"value\":\(value)}".utf8), timestamps: .atSuffix),
            document.keys == ["value"], let parsed = document["value"]
        else { throw ValidationError("that is not one JSON value") }
        try plugin.cache(parsed, as: key)
        print(parsed.json())
    }
}

/// `pd-plugin setting`.
struct SettingCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "setting", abstract: "Writes a setting: text as it is, anything else as JSON.",
        discussion: "Exit codes: 0 done, 1 it is not set and there is no default.")

    @Argument(help: "Its names joined by colons, such as logging:level; the plugin's own come first.")
    var name: String
    @Argument(help: "What is written where it is not set.") var standard: String?

    func run() throws {
        switch PluginEnvironment.current.setting(name) {
        case .string(let text)?: print(text)
        case let value?: print(value.json())
        case nil:
            guard let standard else { throw ToolFailure(.failed, "\(name) is not set") }
            print(standard)
        }
    }
}

/// `pd-plugin log`.
struct LogCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "log", abstract: "Writes a line to standard error and to the system's log.")

    /// How grave it is.
    enum Level: String, ExpressibleByArgument, CaseIterable {
        case debug, info, notice, warning, error, critical

        var number: Int32 {
            switch self {
            case .debug: LOG_DEBUG
            case .info: LOG_INFO
            case .notice: LOG_NOTICE
            case .warning: LOG_WARNING
            case .error: LOG_ERR
            case .critical: LOG_CRIT
            }
        }
    }

    @Argument var level: Level
    @Argument var message: [String]

    func run() {
        PluginEnvironment.current.log(message.joined(separator: " "), level: level.number)
    }
}

/// `pd-plugin x-users`.
struct XUsersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "x-users", abstract: "Lists the users of this machine who are logged in to a desktop.",
        discussion: """
            A line each: user, display, type and name of the session, with - for what there is none of. With --by, those \
            alone that are found in that way and have an X display.
            Exit codes: 0 done, 1 nobody could be asked.
            """)

    @Option(help: "One way to look: \(XUser.Source.allCases.map(\.rawValue).joined(separator: ", ")).")
    var by: XUser.Source?

    func run() throws {
        let machine = Machine.this()
        if let by {
            for found in try XUser.all(by: by, on: machine) { print(found.user, found.display, "x11", "-") }
            return
        }
        for found in try UserSession.desktops(on: machine) {
            print(
                found.user, found.display.isEmpty ? "-" : found.display, found.type,
                found.id.isEmpty ? "-" : found.id)
        }
    }
}

extension XUser.Source: ExpressibleByArgument {}

/// `pd-plugin session-run`.
struct SessionRunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "session-run",
        abstract: "Runs a command as a user who is logged in, with that session's bus and display.",
        discussion: """
            Its exit code is that of the command; 1 where the user has no session there. Without a command, only says by \
            its exit code whether there is one.
            """)

    @Argument(help: "The user's name.") var user: String
    @Option(help: "The X display, such as :0; else the session with a screen comes first.") var display:
        String?
    @Argument(parsing: .postTerminator, help: "The command, after --.") var command: [String] = []

    func run() throws {
        let machine = Machine.this()
        guard let session = try UserSession.find(user, at: display, on: machine) else {
            throw ToolFailure(.failed, "\(user) is not logged in\(display.map { " at \($0)" } ?? "")")
        }
        guard !command.isEmpty else { return }
        let output = try machine.run(command, in: session)
        try Files.writeAll(output.stdout, to: STDOUT_FILENO, path: "standard output")
        try Files.writeAll(output.stderr, to: STDERR_FILENO, path: "standard error")
        if output.returncode != 0 {
            throw ExitCode(output.returncode < 0 ? 128 - output.returncode : output.returncode)
        }
    }
}
