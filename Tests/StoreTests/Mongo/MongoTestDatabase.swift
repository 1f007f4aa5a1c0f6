import Foundation
import PDDocument
import PDProtocol
import Testing

@testable import PDStore

extension StoreKind {
    static let mongo = StoreKind(name: "MongoDB") {
        try MongoTestDatabase(server: MongoTestServer.sharedURI())
    }
}

/// A database of its own on a server that others use as well.
struct MongoTestDatabase: TestDatabase {
    let settings: MongoSettings

    init(server uri: String) throws {
        let name = "penguindome_test_\(UUID().uuidString.lowercased().prefix(13))"
        let question = uri.firstIndex(of: "?") ?? uri.endIndex
        var base = String(uri[..<question])
        if !base.hasSuffix("/") { base += "/" }
        // The user, where there is one, belongs to the database `admin`.
        var query = String(uri[question...])
        if base.contains("@"), !query.contains("authSource") {
            query += (query.isEmpty ? "?" : "&") + "authSource=admin"
        }
        settings = try MongoSettings(uri: base + name + query)
    }

    func open() async throws -> any FleetStore { try await MongoStore.open(settings) }

    func seed(_ host: FleetHost) async throws {
        try await raw { connection in
            let isDerived = host.id == HostID(v1: host.hostname)
            let stored =
                isDerived
                ? host.document
                : StoredHost.stored(key: nil, document: host.document, id: host.id, changes: 0)
            try connection.insert([stored], into: "clients")
        }
    }

    func remove() async throws {
        try await raw { connection in _ = try connection.run(["dropDatabase": 1]) }
    }

    /// Does something to the database behind the stores' back.
    func raw<T: Sendable>(_ body: @escaping @Sendable (MongoConnection) throws -> T) async throws -> T {
        let store = try MongoStore.unchecked(settings)
        let result: T
        do {
            result = try await store.call(body)
        } catch {
            try? await store.close()
            throw error
        }
        try await store.close()
        return result
    }

    /// Runs a test on an empty database of the server that most tests share.
    static func with(_ test: (MongoTestDatabase) async throws -> Void) async throws {
        let database = try MongoTestDatabase(server: MongoTestServer.sharedURI())
        do {
            try await test(database)
        } catch {
            try? await database.remove()
            throw error
        }
        try await database.remove()
    }
}
