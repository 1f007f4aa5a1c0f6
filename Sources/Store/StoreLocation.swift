import Foundation

/// Where a fleet's database is: the one place that turns what people write into a store.
public enum StoreLocation: Sendable, Equatable, CustomStringConvertible {
    /// An SQLite file.
    case sqlite(path: String)
    /// A MongoDB database.
    case mongo(MongoSettings)

    /// Reads `sqlite:PATH`, a `mongodb://` connection string, or `env:NAME`: the variable of the environment that holds
    /// one of the two, for a password that the list of processes must not show.
    ///
    /// - Throws: ``StoreError/conflict(_:)``.
    public init(
        uri: String, environment: [String: String] = ProcessInfo.processInfo.environment
    ) throws(StoreError) {
        if uri.hasPrefix("env:") {
            guard let named = environment[String(uri.dropFirst(4))], !named.hasPrefix("env:") else {
                throw .conflict("there is no variable \(uri.dropFirst(4)) in the environment")
            }
            self = try StoreLocation(uri: named, environment: environment)
            return
        }
        if uri.hasPrefix("mongodb://") || uri.hasPrefix("mongodb+srv://") {
            self = .mongo(try MongoSettings(uri: uri))
        } else if uri.hasPrefix("sqlite:"), uri.utf8.count > 7, !uri.utf8.contains(0) {
            self = .sqlite(path: String(uri.dropFirst(7)))
        } else {
            throw .conflict("a database is named as sqlite:PATH, mongodb://HOST/NAME or env:NAME")
        }
    }

    /// Opens the store.
    ///
    /// - Parameters:
    ///   - mustExist: whether an SQLite file must be there already.
    ///   - mustHoldFleet: whether a MongoDB database must hold a fleet already; it is not made then.
    ///   - waits: whether to wait for a database that cannot be reached, however long that takes.
    ///   - waiting: called with the reason each time that it could not be reached.
    public func open(
        mustExist: Bool = true, mustHoldFleet: Bool = false, waits: Bool = false,
        waiting: (StoreError) -> Void = { _ in }
    ) async throws(StoreError) -> any FleetStore {
        while true {
            do {
                return try await openOnce(mustExist: mustExist, mustHoldFleet: mustHoldFleet)
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

    private func openOnce(mustExist: Bool, mustHoldFleet: Bool) async throws(StoreError) -> any FleetStore {
        switch self {
        case .sqlite(let path):
            var settings = SQLiteStore.Settings()
            settings.mustExist = mustExist
            return try await SQLiteStore.open(path: path, settings: settings)
        case .mongo(let settings): return try await MongoStore.open(settings, mustHoldFleet: mustHoldFleet)
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
