import PDServer
import PDSettings
import PDStore
import PDToolSupport

extension Fleet {
    /// Opens a server's state for a tool: each reason that it cannot be opened has its exit code.
    public static func open(for state: ServerState, makingStore: Bool = false) async throws(ToolFailure)
        -> Fleet
    {
        do {
            return try await Fleet(state: state, makingStore: makingStore)
        } catch let error as SettingsError {
            throw ToolFailure(.usage, error.description)
        } catch let error as StoreError {
            throw ToolFailure(.unreachable, error.description)
        } catch {
            throw ToolFailure(.failed, "\(error)")
        }
    }
}
