import Foundation

/// Where a fleet's database is: the one place that turns what people write into a store.
public enum StoreLocation: Sendable, Equatable, CustomStringConvertible {
    /// An SQLite file.
    case sqlite(path: String)
    /// A MongoDB database.
    case mongo(MongoSettings)

    /// Reads `sqlite:PATH` or a `mongodb://` connection string.
    ///
    /// - Throws: ``StoreError/conflict(_:)``.
    public init(uri: String) throws(StoreError) {
        if uri.hasPrefix("mongodb://") || uri.hasPrefix("mongodb+srv://") {
            self = .mongo(try MongoSettings(uri: uri))
        } else if uri.hasPrefix("sqlite:"), uri.utf8.count > 7, !uri.utf8.contains(0) {
            self = .sqlite(path: String(uri.dropFirst(7)))
        } else {
            throw .conflict("a database is named as sqlite:PATH or mongodb://HOST/NAME")
        }
    }

    /// Opens the store.
    ///
    /// - Parameters:
    ///   - mustExist: whether an SQLite file must be there already.
    ///   - waits: whether to wait for a database that cannot be reached, however long that takes.
    ///   - waiting: called with the reason each time that it could not be reached.
    public func open(
        mustExist: Bool = true, waits: Bool = false, waiting: (StoreError) -> Void = { _ in }
    ) async throws(StoreError) -> any FleetStore {
        while true {
            do {
                return try await openOnce(mustExist: mustExist)
            } catch {
                guard waits, case .unavailable = error else { throw error }
                waiting(error)
            }
            // It throws where the caller was cancelled.
            guard (try? await Task.sleep(for: .seconds(1))) != nil else {
                throw .unavailable(reason: "waiting for the database was cancelled")
            }
        }
    }

    private func openOnce(mustExist: Bool) async throws(StoreError) -> any FleetStore {
        switch self {
        case .sqlite(let path):
            var settings = SQLiteStore.Settings()
            settings.mustExist = mustExist
            return try await SQLiteStore.open(path: path, settings: settings)
        case .mongo(let settings): return try await MongoStore.open(settings)
        }
    }

    /// The place for people and logs, without a password.
    public var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .mongo(let settings): "MongoDB at \(settings.place)"
        }
    }
}
