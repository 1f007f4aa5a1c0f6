import ArgumentParser
import PDBasics
import PDToolSupport

/// What an administrator asks of a fleet. Opens the store by itself, so that it works while the server is down.
@main
struct PDAdminTool: Tool {
    static let configuration = CommandConfiguration(
        commandName: "pd-admin",
        abstract: "Look at a fleet and at what its audit found.",
        discussion: """
            Works on the server's machine, whether the server runs or not. Exit codes: 0 done, 1 failed, 2 bad usage \
            or settings, 3 the database could not be reached, \
            4 a signature or an order was refused.
            """,
        version: BuildStamp.text,
        subcommands: [
            StatusCommand.self, HostsCommand.self, IssuesCommand.self, ChecksCommand.self, AlertsCommand.self,
            ReportCommand.self,
            KeysCommand.self,
            PatchesCommand.self, CommandsCommand.self, OrdersCommand.self, ParametersCommand.self,
            PasswordsCommand.self, PortsCommand.self, StoreCommand.self, BackupCommand.self,
            RestoreCommand.self,
        ])
}
