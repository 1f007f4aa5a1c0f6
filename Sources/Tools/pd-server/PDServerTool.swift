import ArgumentParser
import PDBasics
import PDToolSupport

/// The server: makes itself out of an empty directory, and serves.
@main
struct PDServerTool: Tool {
    static let configuration = CommandConfiguration(
        commandName: "pd-server",
        abstract: "The server that agents report to.",
        discussion: """
            Exit codes: 0 done, 1 failed, 2 bad usage or settings, 3 the database could not be reached.
            """,
        version: BuildStamp.text,
        subcommands: [SetupCommand.self, ServeCommand.self, CheckConfigCommand.self])

    /// Where an installed server keeps its state.
    static let installedState = "/var/lib/penguindome/server"
}
