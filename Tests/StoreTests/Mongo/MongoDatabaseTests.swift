import Foundation
import PDDocument
import PDProtocol
import PDTestSupport
import Testing

@testable import PDStore

@Suite("A MongoDB database that others have written", .enabled(if: MongoTestServer.isConfigured))
struct MongoDatabaseTests {
    /// What version 1 writes, and some of what it must not trip over.
    private static let original: [String: [Document]] = [
        "clients": [
            [
                "_id": .objectID(Array(0..<12)), "hostname": "laptop",
                "submitted_at": .date(milliseconds: 1000),
                "plugins": ["firewall": ["status": "on"], "submitted_at": .date(milliseconds: 1000)],
                "commands": ["c": ["output": "x", "submitted_at": .date(milliseconds: 900)]],
                "suspended": true,
                "theirs": [1, ["a": nil]],
            ],
            ["_id": "odd", "hostname": "no host name"],
            ["_id": .int(7), "hostname": "bare"],
        ],
        "audit_trail": [
            [
                "_id": .objectID(Array(1..<13)), "audited_at": .date(milliseconds: 500), "hostname": "laptop",
                "key": "plugins.firewall.status", "type": "change", "old": "off", "new": "on",
            ],
            [
                "_id": .objectID(Array(2..<14)), "audited_at": .date(milliseconds: 600), "hostname": "laptop",
                "key": "plugins.x", "action": "something else", "new": 1,
            ],
        ],
        "patches": [
            [
                "_id": .objectID(Array(repeating: 0xAB, count: 12)), "submitted_at": .date(milliseconds: 5),
                "pending_hosts": ["laptop"], "completed_hosts": [["bare", .date(milliseconds: 6)]],
                "files": [["path": "bin/x", "mode": 493, "content": "AAEC"]],
            ]
        ],
        "issues": [
            [
                "_id": .objectID(Array(3..<15)), "hostname": "laptop", "name": "disk",
                "opened_at": .date(milliseconds: 7), "alerted_at": .date(milliseconds: 8),
                "unsnoozed_at": .date(milliseconds: 9),
            ],
            [
                "_id": .objectID(Array(4..<16)), "hostname": "laptop", "name": "disk",
                "opened_at": .date(milliseconds: 1), "closed_at": .date(milliseconds: 2),
            ],
            [
                "_id": .objectID(Array(5..<17)), "hostname": "gone", "name": "disk",
                "opened_at": .date(milliseconds: 1),
            ],
        ],
        "client_parameters": [
            [
                "_id": .objectID(Array(6..<18)), "hostname": "laptop", "parameter": "user_email",
                "value": ["a@example.com"], "updated_at": .date(milliseconds: 3),
            ]
        ],
    ]

    @Test("A database of version 1 is opened and read without a change to its documents")
    func original() async throws {
        try await MongoTestDatabase.with { database in
            try await database.raw { connection in
                for (collection, documents) in Self.original {
                    try connection.insert(documents, into: collection)
                }
            }
            let before = try await database.contents()
            let store = try await database.open()
            let name = try #require(Hostname("laptop"))
            let id = HostID(v1: name)
            #expect(try await store.hosts().map(\.hostname.name) == ["bare", "laptop"])
            let host = try #require(try await store.host(id.text))
            #expect(
                host.id == id && host.document["theirs"] == [1, ["a": nil]] && host.document["_id"] == nil)
            let trail = try await store.auditTrail(of: id, limit: 10)
            #expect(trail.map(\.change.kind) == [.changed, .added] && trail.map(\.auditedAt) == [500, 600])
            #expect(try await store.openIssues().map(\.hostID) == [id])
            #expect(try await store.openIssues().first?.alertedAt == 8)
            let patch = try #require(try await store.orders(pendingFor: name).first)
            #expect(patch.files == [Order.File(path: "bin/x", mode: 0o755, content: [0, 1, 2])])
            #expect(patch.completedHosts.map(\.name) == ["bare"])
            #expect(
                try await store.parameters() == [
                    HostParameter(hostname: name, name: "user_email", values: ["a@example.com"])
                ])
            var after = try await database.contents()
            after["penguindome_meta"] = nil
            #expect(after == before)

            // Its hosts go on as the hosts that they are, and keep what is theirs.
            _ = try await store.record(submission("laptop", plugins: ["x": 1]), submittedAt: 2000)
            let kept = try #require(
                try await database.contents()["clients"]?.first { $0["hostname"] == "laptop" })
            #expect(kept["_id"] == .objectID(Array(0..<12)) && kept["theirs"] == [1, ["a": nil]])
            #expect(kept["penguindome"] == ["id": .string(id.text), "changes": .int64(3)])
            #expect(
                try await store.auditedKeys("laptop").suffix(4) == [
                    "plugins.x", "plugins.firewall", "plugins.x", "suspended",
                ])
            try await store.rename(host: id, to: try #require(Hostname("renamed")))
            #expect(try await store.auditTrail(of: id, limit: 10).count == 5)
            try await store.close()
        }
    }

    @Test("A database of a newer version is refused, and is left as it is")
    func newer() async throws {
        try await MongoTestDatabase.with { database in
            try await database.raw { connection in
                try connection.insert([["_id": "schema", "version": 99]], into: "penguindome_meta")
                try connection.insert([["hostname": "a"]], into: "clients")
            }
            let before = try await database.contents()
            await #expect(throws: StoreError.newerSchema(found: 99, supported: MongoSchema.version)) {
                _ = try await database.open()
            }
            #expect(try await database.contents() == before)
            #expect(try await database.indexCount("clients") == 1)
        }
    }

    @Test("A database that is only to be read is not made where the name is mistyped")
    func notMade() async throws {
        try await MongoTestDatabase.with { database in
            await #expect(throws: StoreError.self) {
                _ = try await MongoStore.open(database.settings, mustHoldFleet: true)
            }
            #expect(try await database.contents().isEmpty)
            try await database.open().close()
            try await MongoStore.open(database.settings, mustHoldFleet: true).close()
        }
    }

    @Test("Two hosts of one name are told, not guessed about")
    func duplicates() async throws {
        try await MongoTestDatabase.with { database in
            try await database.raw { try $0.insert([["hostname": "a"], ["hostname": "a"]], into: "clients") }
            await #expect { _ = try await database.open() } throws: { isCorrupt($0) }
        }
    }

    @Test("Several processes may open a new database at once")
    func openedAtOnce() async throws {
        try await MongoTestDatabase.with { database in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<6 {
                    group.addTask { try await database.open().close() }
                }
                try await group.waitForAll()
            }
            let store = try await database.open()
            _ = try await store.record(submission("a", plugins: [:]), submittedAt: 1)
            try await store.close()
        }
    }
}

@Suite("Where a MongoDB database is")
struct MongoSettingsTests {
    @Test("Single settings make a connection string; what is special is escaped")
    func single() throws {
        let settings = try MongoSettings(
            hosts: ["a.example.com", "b:27018", "[::1]:27019"], replicaSet: "rs0", database: "fleet",
            username: "us er", password: "p@:/?#[]%ö", tls: true)
        #expect(
            settings.uri
                == "mongodb://us%20er:p%40%3A%2F%3F%23%5B%5D%25%C3%B6@a.example.com,b:27018,[::1]:27019/fleet?tls=true&replicaSet=rs0"
        )
        #expect(settings.database == "fleet")
        #expect(settings.place == "a.example.com:27017,b:27018,[::1]:27019 fleet")
        #expect(try MongoSettings(hosts: ["a"]).uri == "mongodb://a/penguindome")
        #expect(try MongoSettings(uri: "mongodb://a").database == "penguindome")
        #expect(try MongoSettings(uri: "mongodb://a/x?tls=true").database == "x")
    }

    @Test(
        "What is no connection string is refused in one line without its password",
        arguments: [
            "mongodb://u:secret@", "mongodb://u:secret@host:99999/x", "mongodb://",
            "mongodb://u:secret@h/x?tls=maybe%00",
            "mongodb://h\0/x", "mongodb://u:sec/ret@h/x", "mongodb://u:p@secret@h/x",
        ])
    func refused(uri: String) {
        #expect {
            _ = try MongoSettings(uri: uri)
        } throws: { error in
            if case .conflict(let reason) = error as? StoreError { !reason.contains("sec") } else { false }
        }
    }

    @Test("A place with a password can stand in the environment")
    func environment() throws {
        let environment = ["FLEET": "mongodb://u:secret@h/x", "LOOP": "env:LOOP"]
        let location = try StoreLocation(uri: "env:FLEET", environment: environment)
        #expect(try location == .mongo(MongoSettings(uri: "mongodb://u:secret@h/x")))
        #expect(!"\(location)".contains("secret"))
        for wrong in ["env:LOOP", "env:NOTHING", "env:"] {
            #expect(throws: StoreError.self) { try StoreLocation(uri: wrong, environment: environment) }
        }
    }

    @Test("Settings that contradict each other or cannot be meant are refused")
    func contradictions() {
        #expect(throws: StoreError.self) { try MongoSettings(hosts: []) }
        #expect(throws: StoreError.self) { try MongoSettings(hosts: ["a/b"]) }
        #expect(throws: StoreError.self) { try MongoSettings(hosts: ["a?x=1"]) }
        #expect(throws: StoreError.self) { try MongoSettings(hosts: ["a"], username: "u") }
        #expect(throws: StoreError.self) { try MongoSettings(hosts: ["a"], database: "a.b") }
        #expect(throws: StoreError.self) {
            try MongoSettings(hosts: ["mongodb://a/x"], username: "u", password: "p")
        }
        #expect(throws: StoreError.self) { try StoreLocation(uri: "sqlite:") }
        #expect(throws: StoreError.self) { try StoreLocation(uri: "/var/lib/fleet.sqlite") }
    }
}
