import PDDocument
import PDProtocol
import PDStore
import PDTestSupport
import Testing

/// One kind of store. Every test of the contract runs against each.
struct StoreKind: Sendable, CustomTestStringConvertible {
    let name: String
    /// Makes an empty database.
    let makeDatabase: @Sendable () async throws -> any TestDatabase

    var testDescription: String { name }

    /// MongoDB where there is a server to test against: `Scripts/test.sh` sees to that.
    static let all = [StoreKind.sqlite] + (MongoTestServer.isConfigured ? [StoreKind.mongo] : [])

    /// Runs a test on an empty database.
    func withDatabase(_ test: (any TestDatabase) async throws -> Void) async throws {
        let database = try await makeDatabase()
        do {
            try await test(database)
        } catch {
            try await database.remove()
            throw error
        }
        try await database.remove()
    }

    /// Runs a test on a store in an empty database.
    func withStore(_ test: (any FleetStore) async throws -> Void) async throws {
        try await withDatabase { database in
            let store = try await database.open()
            try await test(store)
            try await store.close()
        }
    }
}

/// A database that outlives the stores which are opened on it.
protocol TestDatabase: Sendable {
    /// What ``StoreLocation`` knows it by, for another process.
    var uri: String { get }
    /// Opens it once more, as another process would.
    func open() async throws -> any FleetStore
    /// Puts a host there behind the stores' back, as another program or an earlier version might have.
    func seed(_ host: FleetHost) async throws
    /// Checks it by the means of its database.
    func checkIntegrity() async throws
    /// Removes it.
    func remove() async throws
}

/// A report, as short as the test needs it.
func submission(
    _ hostname: String, collectedAt: Int64? = nil, plugins: Document? = nil, commands: Document? = nil
) throws -> V1.Submission {
    V1.Submission(
        hostname: try #require(Hostname(hostname)), collectedAt: collectedAt, plugins: plugins,
        commands: commands)
}

extension FleetStore {
    /// The host's document.
    func document(_ hostname: String) async throws -> Document {
        try #require(try await host(hostname)).document
    }

    /// The names of the fields that the audit trail has for a host, oldest first.
    func auditedKeys(_ hostname: String) async throws -> [String] {
        let host = try #require(try await host(hostname))
        return try await auditTrail(of: host.id, limit: .max).map(\.change.key)
    }
}
