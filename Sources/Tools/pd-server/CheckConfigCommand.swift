import ArgumentParser
import Foundation
import PDCrypto
import PDFleet
import PDServer
import PDServerToolSupport
import PDSettings
import PDToolSupport

struct CheckConfigCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Say whether the server could start with its settings; touches nothing.",
        discussion: """
            Reads the settings with what the environment overrides, certificates, keys, checks and the header of the \
            database, and binds a port of the address for a moment.
            """)

    @OptionGroup var stateOptions: StateOptions

    func run() async throws {
        let state = ServerState(
            directory: stateOptions.directory(installed: PDServerTool.installedState),
            settingsFile: stateOptions.settingsFile)
        do {
            for note in try Self.check(state) { print("note: \(note)") }
        } catch let error as StateError {
            // Here a certificate or key that cannot be used is a mistake of the settings.
            throw ToolFailure(.usage, error.description)
        } catch {
            throw ToolFailure(explaining: error)
        }
        print("\(state.settingsFile.path) is good")
    }

    /// - Returns: what the settings ask for and the server does not do.
    static func check(_ state: ServerState) throws -> [String] {
        let text = String(decoding: try PrivateFiles.read(state.settingsFile), as: UTF8.self)
        let settings = try ServerSettings(
            yaml: text, file: state.settingsFile.path, environment: ProcessInfo.processInfo.environment)
        var notes = settings.notes
        notes += try SettingsCheck(settings, file: state.settingsFile).run(
            at: OpenPGP.Timestamp.now().seconds)
        if case .sqlite(let path) = Fleet.database(of: settings, in: state) {
            try ServerState.checkDatabase(path)
        }
        if let note = try state.checkServerKey() { notes.append(note) }
        notes += try AgentKit(state).contradictions(with: settings)
        let checks = try CheckFile.read(state.checksFile)
        _ = try settings.alerts.channels(checks)
        if try RoleKeys(directory: state.clientKeys).certificates.isEmpty {
            notes.append("no client key is installed: every report will be refused")
        }
        return notes
    }
}
