import Foundation
import PDSettings
import PDStore

/// A server's state, opened: its settings and its store. The one way in for the server and for each tool.
package struct Fleet: Sendable {
    /// Where everything lies.
    package let state: ServerState
    /// The settings.
    package let settings: ServerSettings
    /// The store.
    package let store: any FleetStore

    /// A fleet of parts that are open already.
    package init(state: ServerState, settings: ServerSettings, store: any FleetStore) {
        self.state = state
        self.settings = settings
        self.store = store
    }

    /// Opens what `pd-server setup` has made.
    ///
    /// - Parameters:
    ///   - state: where it lies.
    ///   - database: the database, where it is not that of the settings.
    ///   - waits: whether to wait for a database that cannot be reached.
    ///   - waiting: called with the reason each time that it could not be reached.
    ///   - isStrict: whether any mistake of the settings is an error, as a server has it; see ``ServerSettings``.
    ///   - makingStore: whether to make an empty store where there is none. Only setup does: a tool that ran as another
    ///     user would make one that the server cannot write.
    /// - Throws: ``StateError`` where there is no such directory, `SettingsError`, or `StoreError`.
    package init(
        state: ServerState, database: StoreLocation? = nil, waits: Bool = false,
        waiting: (StoreError) -> Void = { _ in }, isStrict: Bool = true, makingStore: Bool = false
    ) async throws {
        self.state = state
        try state.finishInterruptedRestoration()
        guard FileManager.default.fileExists(atPath: state.settingsFile.path) else {
            throw StateError(
                "there is no server in \(state.directory.path): name another with --state, or run pd-server setup"
            )
        }
        let text = String(decoding: try PrivateFiles.read(state.settingsFile), as: UTF8.self)
        settings = try ServerSettings(
            yaml: text, file: state.settingsFile.path, environment: ProcessInfo.processInfo.environment,
            isStrict: isStrict)
        let location = database ?? Self.database(of: settings, in: state)
        store = try await location.open(mustExist: !makingStore, waits: waits, waiting: waiting)
    }
}
