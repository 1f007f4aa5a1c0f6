import PDSettings
import Testing

@testable import PDServer

@Suite("The server's settings")
struct ServerSettingsTests {
    private func read(_ yaml: String) throws -> ServerSettings {
        try ServerSettings(yaml: yaml, file: "server.yml")
    }

    @Test("an empty file is a server with defaults")
    func defaults() throws {
        let settings = try read("")
        #expect(settings.ports == [PortSettings(number: 80)] && settings.address == "::")
        #expect(settings.logging == LogSettings(level: .info) && settings.localPort == nil)
        #expect(settings.databaseFile == nil)
    }

    @Test("ports are a number or a list")
    func ports() throws {
        #expect(try read("port: 8080").ports.map(\.number) == [8080])
        #expect(try read("port: [8080, 8081]").ports.map(\.number) == [8080, 8081])
        #expect(throws: SettingsError.self) { try read("port: 99999") }
        #expect(throws: SettingsError.self) { try read("port: http") }
        #expect(throws: SettingsError.self) { try read("port: [80, 80]") }
    }

    @Test("a settings file of version 1 loads, and what has no effect is said")
    func version1() throws {
        let settings = try read(
            """
            port:
              80: {deprecated: true, ssl: {enabled: false}}
              8443:
            local_port: 5000
            database: {file: fleet.sqlite, host: [a, b], replicaset: r, name: penguindome, username: u, password: p}
            logging: {handler: syslog, level: warn, syslog: {facility: daemon, host: localhost, port: 514}}
            audit_cron: {enabled: true, email: a@example.com}
            ssl: {enabled: false, certificate: c, key: k}
            secret_keeping: {enabled: true, selectors: [plugins.a.b], num_shares: 5, combine_threshold: 3}
            server_auth: {download_release: {ipranges: [127.0.0.1]}}
            users: {fred: $pbkdf2-sha256$200000$AcAYQ8j5X0tpzRkD4HwvxQ$.EIGFP/1iRPNabcPHw8bOvR.MbYVWFXauC2jJV5hleo}
            groups: {admins: [fred]}
            """)
        #expect(settings.ports.map(\.number) == [80, 8443] && settings.logging.level == .warning)
        #expect(settings.notes.count == 2)
    }

    @Test(
        "what would be unsafe to leave out is refused",
        arguments: [
            "ssl: {enabled: true}", "port: {80: {ssl: {enabled: true}}}", "database: {host: localhost}",
            "users: {fred: secret}", "server_auth: {pipe_create: {users: [nobody]}}",
        ])
    func notServed(yaml: String) {
        #expect(throws: SettingsError.self) { try read(yaml) }
    }

    @Test("a mistyped name is an error with its line and the right one")
    func mistyped() {
        #expect(
            throws: SettingsError(
                file: "server.yml", line: 2, message: "prot is not a setting: did you mean port?")
        ) {
            try read("address: 127.0.0.1\nprot: 80\n")
        }
        #expect(throws: SettingsError.self) { try read("logging:\n  levle: info\n") }
    }

    @Test("the logging level is one of the known ones")
    func level() throws {
        #expect(try read("logging: {level: debug}").logging.level == .debug)
        #expect(throws: SettingsError.self) { try read("logging: {level: loud}") }
    }
}
