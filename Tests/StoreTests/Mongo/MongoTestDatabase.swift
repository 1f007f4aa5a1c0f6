import Foundation
import PDDocument
import PDProtocol
import PDTestSupport
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

    var uri: String { settings.uri }

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

    /// The server has no such check.
    func checkIntegrity() async throws {}

    /// On a server that only the tests use it goes with that.
    func remove() async throws {
        guard MongoTestServer.givenURI != nil else { return }
        try await raw { connection in _ = try connection.run(["dropDatabase": 1]) }
    }

    /// Does something to the database behind the stores' back.
    @discardableResult
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

    /// Every document of every collection.
    func contents() async throws -> [String: [Document]] {
        try await raw { connection in
            let answer = try connection.run(["listCollections": 1, "nameOnly": true])
            let names = (answer[["cursor", "firstBatch"]]?.array ?? []).compactMap {
                $0.document?["name"]?.string
            }
            var contents: [String: [Document]] = [:]
            for name in names {
                let documents = try connection.all(name, where: [:], ["sort": ["_id": 1]])
                if !documents.isEmpty { contents[name] = documents }
            }
            return contents
        }
    }

    /// How many indices a collection has.
    func indexCount(_ collection: String) async throws -> Int {
        try await raw { connection in
            try connection.run(["listIndexes": .string(collection)])[["cursor", "firstBatch"]]?.array?.count
                ?? 0
        }
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
