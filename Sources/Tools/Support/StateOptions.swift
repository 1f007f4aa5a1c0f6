import ArgumentParser
import Foundation

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

    /// Needed by the argument parser.
    public init() {}

    /// The state directory.
    public func directory(installed: String) -> URL {
        let path = state ?? environment("PENGUINDOME_STATE") ?? installed
        return URL(filePath: path, directoryHint: .isDirectory)
    }

    /// The settings file, where one is named.
    public var settingsFile: URL? {
        (config ?? environment("PENGUINDOME_CONFIG")).map { URL(filePath: $0) }
    }

    /// A variable that is set to nothing is as good as one that is not set.
    private func environment(_ name: String) -> String? {
        ProcessInfo.processInfo.environment[name].flatMap { $0.isEmpty ? nil : $0 }
    }
}
