import ArgumentParser
import Foundation
import Logging
import PDCrypto
import PDFiles
import PDFleet
import PDLogs
import PDServer
import PDServerToolSupport
import PDSettings
import PDStore
import PDToolSupport

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Take reports until told to stop.",
        discussion: "SIGTERM and Ctrl-C end it after the requests that are under way have been answered.")

    @OptionGroup var stateOptions: StateOptions

    @Option(
        help: ArgumentHelp("Listen on this TCP port instead of those of the settings.", valueName: "number"))
    var port: Int?

    @Option(
        help: ArgumentHelp(
            "Use this database instead of that of the settings: sqlite:PATH or mongodb://HOST/NAME.",
            valueName: "uri"))
    var database: String?

    @Flag(help: "Wait for a database that cannot be reached, instead of ending with exit code 3.")
    var wait = false

    func run() async throws {
        let state = ServerState(
            directory: stateOptions.directory(installed: PDServerTool.installedState),
            settingsFile: stateOptions.settingsFile)
        if let port, !(0...65_535).contains(port) {
            throw ToolFailure(.usage, "\(port) is not a port from 0 to 65535")
        }
        let location: StoreLocation?
        do {
            location = try database.map { try StoreLocation(uri: $0) }
        } catch {
            throw ToolFailure(.usage, "--database: \(error)")
        }
        let serving: StateLock?
        do { serving = try state.beginServing() } catch { throw ToolFailure(explaining: error) }
        defer { withExtendedLifetime(serving) {} }
        let waiting = Logger(label: "pd-server") { StreamLogHandler.standardError(label: $0) }
        let fleet = try await Fleet.open(for: state, database: location, waits: wait) {
            waiting.warning("waiting: \($0)")
        }
        var settings = fleet.settings
        if let port {
            settings.ports = [PortSettings(number: port, tls: settings.ports.first?.tls)]
            settings.localPort = nil
        }
        do {
            settings.notes += try SettingsCheck(settings, file: state.settingsFile)
                .run(at: OpenPGP.Timestamp.now().seconds)
            let output = try LogOutput(settings.logging, program: "pd-server")
            defer { output.flush() }
            try await Service(fleet: fleet, settings: settings, logger: output.logger("pd-server")).run()
        } catch {
            throw ToolFailure(explaining: error)
        }
    }
}
