import Foundation
import GRDB
import PDStore
import Testing

extension StoreKind {
    static let sqlite = StoreKind(name: "SQLite") { try SQLiteTestDatabase() }
}

/// A directory with one SQLite file.
struct SQLiteTestDatabase: TestDatabase {
    let directory: String
    var path: String { directory + "/state/fleet.sqlite" }
    var uri: String { "sqlite:" + path }

    init() throws {
        directory = FileManager.default.temporaryDirectory.path + "/penguindome-store-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    func open() async throws -> any FleetStore { try await SQLiteStore.open(path: path) }

    func seed(_ host: FleetHost) async throws { try await seed([host]) }

    /// Puts many there, in one transaction.
    func seed(_ hosts: [FleetHost]) async throws {
        try await rawConnection().write { db in
            for host in hosts {
                try db.execute(
                    sql: "INSERT INTO hosts (id, hostname, submitted_at, document) VALUES (?, ?, ?, ?)",
                    arguments: [host.id.text, host.hostname.name, host.submittedAt, Data(host.document.bson)])
            }
        }
    }

    func checkIntegrity() async throws {
        let answer = try await rawConnection().read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
        #expect(answer == "ok")
    }

    func remove() async throws { try FileManager.default.removeItem(atPath: directory) }

    /// A connection of another program, which holds transactions as long as it likes.
    func rawConnection() throws -> DatabaseQueue {
        var configuration = Configuration()
        configuration.allowsUnsafeTransactions = true
        configuration.busyMode = .timeout(10)
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Runs a test on an empty directory.
    static func with(_ test: (SQLiteTestDatabase) async throws -> Void) async throws {
        let database = try SQLiteTestDatabase()
        defer { try? FileManager.default.removeItem(atPath: database.directory) }
        try await test(database)
    }
}

/// Whether the error says that the database is not available now.
func isUnavailable(_ error: any Error) -> Bool {
    if case .unavailable = error as? StoreError { true } else { false }
}

/// Whether the error says that the database is damaged.
func isCorrupt(_ error: any Error) -> Bool {
    if case .corrupt = error as? StoreError { true } else { false }
}
