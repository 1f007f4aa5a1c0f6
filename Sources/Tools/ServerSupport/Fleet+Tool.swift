import PDFleet
import PDSettings
import PDStore
import PDToolSupport

extension Fleet {
    /// Opens a server's state for a tool: each reason that it cannot be opened has its exit code.
    package static func open(
        for state: ServerState, database: StoreLocation? = nil, waits: Bool = false,
        waiting: (StoreError) -> Void = { _ in }, isStrict: Bool = true, makingStore: Bool = false
    ) async throws(ToolFailure) -> Fleet {
        do {
            return try await Fleet(
                state: state, database: database, waits: waits, waiting: waiting, isStrict: isStrict,
                makingStore: makingStore)
        } catch {
            throw ToolFailure(explaining: error)
        }
    }
}

extension ToolFailure {
    /// The failure that a tool ends with where an error of the server's modules stops it.
    package init(explaining error: any Error) {
        switch error {
        case let failure as ToolFailure: self = failure
        case let error as SettingsError: self.init(.usage, error.description)
        case let error as FleetError:
            switch error.kind {
            case .failed: self.init(.failed, error.description)
            case .usage: self.init(.usage, error.description)
            case .refused: self.init(.refused, error.description)
            }
        case StoreError.unavailable: self.init(.unreachable, "\(error)")
        default: self.init(.failed, "\(error)")
        }
    }
}
