import ArgumentParser
import Glibc

/// Where a tool finds what it works on; every command has these.
public struct StateOptions: ParsableArguments {
    @Option(
        name: .long,
        help: ArgumentHelp(
            "The state directory. Else the environment's PENGUINDOME_STATE, else the installed one.",
            valueName: "dir"))
    var state: String?

    @Option(
        name: .long,
        help: ArgumentHelp(
            "The settings file. Else the environment's PENGUINDOME_CONFIG, else the one in the state directory.",
            valueName: "file"))
    var config: String?

    /// Where the package has the server's state.
    public static let installedServer = "/var/lib/penguindome/server"
    /// Where the package has the agent's state.
    public static let installedAgent = "/var/lib/penguindome/agent"

    /// Needed by the argument parser.
    public init() {}

    /// The path of the state directory.
    public func directoryPath(installed: String) -> String {
        state ?? environment("PENGUINDOME_STATE") ?? installed
    }

    /// The path of the settings file, where one is named.
    public var settingsPath: String? { config ?? environment("PENGUINDOME_CONFIG") }

    /// A variable that is set to nothing is as good as one that is not set.
    private func environment(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
