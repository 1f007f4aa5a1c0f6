import Foundation
import GRDB
import PDProtocol
import Testing

@testable import PDStore

/// The names in a directory, sorted.
private enum Files {
    static func names(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory).sorted()
    }
}

@Suite("The file of a SQLite store")
struct SQLiteFileTests {
    @Test("Files are for their owner alone, in a directory for its owner alone")
    func modes() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await database.open()
            _ = try await store.record(submission("a", plugins: [:]), submittedAt: 1)
            let state = database.directory + "/state"
            func mode(_ path: String) throws -> Int? {
                try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: state).sorted()
            #expect(names == ["fleet.sqlite", "fleet.sqlite-shm", "fleet.sqlite-wal"])
            for name in names { #expect(try mode(state + "/" + name) == 0o600) }
            #expect(try mode(state) == 0o700)
            try await store.close()
        }
    }

    @Test("Every commit reaches the disk before it is answered, and references hold")
    func durability() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await SQLiteStore.open(path: database.path)
            let settings = try await store.pool.write { db in
                try ["journal_mode", "synchronous", "foreign_keys"].map { name in
                    try String.fetchOne(db, sql: "PRAGMA \(name)") ?? ""
                }
            }
            #expect(settings == ["wal", "2", "1"])
            try await store.close()
        }
    }

    @Test(
        "A database of each earlier version is brought up, with what it holds",
        arguments: 1..<SQLiteSchema.version)
    func olderSchema(version: Int) async throws {
        try await SQLiteTestDatabase.with { database in
            try FileManager.default.createDirectory(
                atPath: database.directory + "/state", withIntermediateDirectories: true)
            try await database.rawConnection().write { db in
                for step in SQLiteSchema.steps[..<version] { try db.execute(sql: step) }
                try db.execute(sql: "PRAGMA application_id = \(SQLiteSchema.applicationID)")
                try db.execute(sql: "PRAGMA user_version = \(version)")
            }
            let hostname = try #require(Hostname("a"))
            try await database.seed(
                FleetHost(
                    id: HostID(v1: hostname), hostname: hostname, submittedAt: 1, document: ["hostname": "a"])
            )
            let store = try await database.open()
            #expect(try await store.hosts().map(\.hostname) == [hostname])
            #expect(try await store.orders() == [])
            #expect(try await store.parameters() == [])
            try await store.close()
        }
    }

    @Test("A database of a newer version is refused and left as it is")
    func newerSchema() async throws {
        try await SQLiteTestDatabase.with { database in
            try await database.open().close()
            try await database.rawConnection().write { try $0.execute(sql: "PRAGMA user_version = 99") }
            let before = try Data(contentsOf: URL(fileURLWithPath: database.path))
            await #expect(throws: StoreError.newerSchema(found: 99, supported: SQLiteSchema.version)) {
                try await database.open()
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: database.path)) == before)
        }
    }

    @Test("A database that a newer version takes over between the look and the change is refused as well")
    func newerMeanwhile() async throws {
        try await SQLiteTestDatabase.with { database in
            try await database.open().close()
            let connection = try database.rawConnection()
            try await connection.write { try $0.execute(sql: "PRAGMA user_version = 99") }
            await #expect(throws: StoreError.newerSchema(found: 99, supported: SQLiteSchema.version)) {
                try await connection.write { try SQLiteSchema.migrate($0) }
            }
            try await connection.write { try $0.execute(sql: "PRAGMA user_version = -1") }
            await #expect(performing: { try await database.open() }, throws: isCorrupt)
        }
    }

    @Test("The database of another program is refused and left as it is")
    func foreignDatabase() async throws {
        try await SQLiteTestDatabase.with { database in
            try FileManager.default.createDirectory(
                atPath: database.directory + "/state", withIntermediateDirectories: true)
            try await database.rawConnection().write { try $0.execute(sql: "CREATE TABLE theirs (x)") }
            let before = try Data(contentsOf: URL(fileURLWithPath: database.path))
            await #expect(performing: { try await database.open() }, throws: isCorrupt)
            #expect(try Data(contentsOf: URL(fileURLWithPath: database.path)) == before)
        }
    }

    @Test("A file that is no database is refused and left as it is")
    func garbage() async throws {
        try await SQLiteTestDatabase.with { database in
            try FileManager.default.createDirectory(
                atPath: database.directory + "/state", withIntermediateDirectories: true)
            let garbage = Data("this is not a database".utf8) + Data(repeating: 7, count: 10_000)
            try garbage.write(to: URL(fileURLWithPath: database.path))
            await #expect(performing: { try await database.open() }, throws: isCorrupt)
            #expect(try Data(contentsOf: URL(fileURLWithPath: database.path)) == garbage)
        }
    }

    @Test("A place where no file can be is named")
    func noSuchPlace() async throws {
        await #expect {
            _ = try await SQLiteStore.open(path: "/dev/null/fleet.sqlite")
        } throws: { error in
            isUnavailable(error) && "\(error)".contains("/dev/null")
        }
    }

    @Test("A database that must be there is not made, and the error names it")
    func mustExist() async throws {
        try await SQLiteTestDatabase.with { database in
            var settings = SQLiteStore.Settings()
            settings.mustExist = true
            await #expect {
                _ = try await SQLiteStore.open(path: database.path, settings: settings)
            } throws: { error in
                isUnavailable(error) && "\(error)".contains(database.path)
            }
            #expect(!FileManager.default.fileExists(atPath: database.path))
            try await database.open().close()
            try await SQLiteStore.open(path: database.path, settings: settings).close()
        }
    }

    @Test("Many may open a new database at once")
    func openedAtOnce() async throws {
        for _ in 0..<5 {
            try await SQLiteTestDatabase.with { database in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<8 {
                        group.addTask {
                            let store = try await database.open()
                            _ = try await store.record(submission("h\(number)", plugins: [:]), submittedAt: 1)
                            try await store.close()
                        }
                    }
                    try await group.waitForAll()
                }
                let store = try await database.open()
                #expect(try await store.hosts().count == 8)
                try await store.close()
            }
        }
    }

    @Test("A backup is a whole database of its own, made while submissions come")
    func backup() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await SQLiteStore.open(path: database.path)
            let copy = database.directory + "/copy.sqlite"
            for number in 0..<50 {
                _ = try await store.record(
                    submission("h\(number)", plugins: ["x": 1, "y": 1]), submittedAt: 1)
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        _ = try await store.record(
                            submission("h\(number)", plugins: ["x": 2, "y": 2]), submittedAt: 2)
                    }
                }
                group.addTask { try await store.backup(to: copy) }
                try await group.waitForAll()
            }
            let mode = try FileManager.default.attributesOfItem(atPath: copy)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(!FileManager.default.fileExists(atPath: copy + ".partial"))

            let restored = try await SQLiteStore.open(path: copy)
            let hosts = try await restored.hosts()
            #expect(hosts.count == 50)
            for host in hosts {
                #expect(host.document[["plugins", "x"]] == host.document[["plugins", "y"]])
                let isNew = host.document[["plugins", "x"]] == 2
                #expect(try await restored.auditTrail(of: host.id, limit: 9).count == (isNew ? 2 : 0))
            }
            _ = try await restored.record(submission("new", plugins: [:]), submittedAt: 3)
            try await restored.close()
            try await store.close()
        }
    }

    @Test(
        "A backup takes no name that is taken, nor one beside which a log lies that would become part of it")
    func backupName() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await SQLiteStore.open(path: database.path)
            let file = database.directory + "/backup"
            for suffix in ["", "-wal"] {
                try Data([1]).write(to: URL(filePath: file + suffix))
                await #expect(throws: StoreError.self) { try await store.backup(to: file) }
                try FileManager.default.removeItem(atPath: file + suffix)
            }
            try await store.backup(to: file)
            try await store.close()
        }
    }

    @Test("A closed database is one file with all that was written")
    func oneFile() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await SQLiteStore.open(path: database.path)
            for number in 1...30 {
                _ = try await store.record(submission("host-\(number)", plugins: [:]), submittedAt: 1)
                _ = try await store.hosts()
            }
            try await store.close()
            #expect(try Files.names(database.directory + "/state") == ["fleet.sqlite"])
        }
    }

    @Test("A backup does not replace a file, and leaves nothing where it fails")
    func backupRefused() async throws {
        try await SQLiteTestDatabase.with { database in
            let store = try await SQLiteStore.open(path: database.path)
            let existing = database.directory + "/existing"
            try Data("mine".utf8).write(to: URL(fileURLWithPath: existing))
            for target in [existing, database.path, database.directory + "/no/such/place"] {
                await #expect(throws: StoreError.self) { try await store.backup(to: target) }
            }
            #expect(try Data(contentsOf: URL(fileURLWithPath: existing)) == Data("mine".utf8))
            #expect(
                try FileManager.default.contentsOfDirectory(atPath: database.directory).sorted() == [
                    "existing", "state",
                ])
            try await store.close()
        }
    }

    @Test("What is looked up by tools is found through an index")
    func queryPlans() async throws {
        try await SQLiteTestDatabase.with { database in
            try await database.open().close()
            let plans = try await database.rawConnection().read { db in
                try [
                    "SELECT document FROM hosts WHERE hostname = ''",
                    "SELECT document FROM hosts WHERE id = ''",
                    "SELECT key FROM audit_trail WHERE host = 1 ORDER BY number DESC LIMIT 1",
                    "SELECT host FROM issues WHERE check_name = '' AND closed_at IS NULL",
                    "SELECT check_name FROM issues WHERE closed_at IS NULL",
                ].map { sql in
                    try Row.fetchAll(db, sql: "EXPLAIN QUERY PLAN " + sql).map { $0["detail"] as String }
                        .joined()
                }
            }
            for plan in plans { #expect(plan.contains("INDEX") && !plan.contains("TEMP B-TREE")) }
        }
    }
}
