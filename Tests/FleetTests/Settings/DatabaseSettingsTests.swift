import Foundation
import PDBasics
import PDSettings
import PDStore
import Testing

@testable import PDFleet

@Suite("What the settings say about the database")
struct DatabaseSettingsTests {
    private let state = ServerState(directory: URL(filePath: "/state/", directoryHint: .isDirectory))

    private func location(_ yaml: String) throws -> StoreLocation {
        try Fleet.database(of: ServerSettings(yaml: yaml, file: "server.yml"), in: state)
    }

    @Test("Without settings it is a file in the state directory; a file may be named")
    func embedded() throws {
        #expect(try location("") == .sqlite(path: "/state/fleet.sqlite"))
        #expect(try location("database: {file: \"\", host: \"\"}") == .sqlite(path: "/state/fleet.sqlite"))
        #expect(try location("database: {file: other.sqlite}") == .sqlite(path: "/state/other.sqlite"))
        #expect(try location("database: {file: /a/b.sqlite, host: db}") == .sqlite(path: "/a/b.sqlite"))
    }

    @Test("Version 1's names lead to a MongoDB database, and so does a whole URI")
    func mongo() throws {
        let single = try location(
            "database: {host: [a, 'b:27018'], replicaset: rs, name: fleet, username: u, password: 'p@', tls: true}"
        )
        #expect(
            try single
                == .mongo(
                    MongoSettings(
                        hosts: ["a", "b:27018"], replicaSet: "rs", database: "fleet", username: "u",
                        password: "p@", tls: true)))
        #expect("\(single)" == "MongoDB at a:27017,b:27018 fleet")
        #expect(try location("database: {host: localhost}") == .mongo(MongoSettings(hosts: ["localhost"])))
        let blank = "database: {host: db, replicaset: '', name: '', username: \"\", password: ''}"
        #expect(try location(blank) == .mongo(MongoSettings(hosts: ["db"])))
        let uri = "mongodb://u:p@a/x?tls=true"
        #expect(try location("database: {host: '\(uri)'}") == .mongo(MongoSettings(uri: uri)))
    }

    @Test(
        "What cannot be meant is refused with its line and without the password",
        arguments: [
            "database: {host: 'a/b'}", "database: {host: a, username: u}",
            "database: {host: a, name: 'x.y', password: secret, username: u}",
            "database: {host: 'mongodb://u:secret@'}",
            "database: {host: 'mongodb://a', password: secret, username: u}",
            "database: {host: a, tsl: true}", "retention: {audit_trail: soon}", "retention: {audit: 1d}",
        ])
    func refused(yaml: String) {
        let error = #expect(throws: SettingsError.self) { _ = try location(yaml) }
        #expect(error?.line == 1 && error?.message.contains("secret") == false)
    }

    @Test("Nothing is removed unless the settings say how long it is kept")
    func retention() throws {
        #expect(try ServerSettings(yaml: "", file: "s").retention == ServerSettings.Retention())
        let set = try ServerSettings(yaml: "retention: {audit_trail: 52w, closed_issues: 90d}", file: "s")
        #expect(
            set.retention
                == ServerSettings.Retention(auditTrail: TimeSpan("52w"), closedIssues: TimeSpan("90d")))
    }
}
