import Foundation
import PDCrypto
import PDLegacy
import PDLogs
import PDSecrets
import PDSettings
import Testing

@testable import PDFleet

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
        #expect(settings.database == ServerSettings.Database())
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
        #expect(settings.notes.count == 1)
        #expect(settings.alerts.channels.map(\.kind) == [.mail(to: ["a@example.com"])])
    }

    @Test(
        "what would be unsafe to leave out is refused",
        arguments: [
            "port: []", "port: {}", "address: 999.1.1.1", "address: 'a b'", "address: 1:2", "address: ''",
            "ssl: {enabled: true}", "port: {80: {ssl: {enabled: true}}}", "database: {host: 'a/b'}",
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
        // The words that agents take.
        #expect(try read("logging: {level: WARN}").logging.level == .warning)
        #expect(throws: SettingsError.self) { try read("logging: {level: loud}") }
    }

    @Test("each port has its own TLS, or what stands beside the ports")
    func tls() throws {
        let settings = try read(
            """
            ssl: {enabled: true, certificate: c, key: k}
            port:
              80: {deprecated: true, ssl: {enabled: false}}
              443:
              8443: {ssl: {certificate: other}}
            local_port: 5000
            """)
        #expect(
            settings.ports == [
                PortSettings(number: 80, isDeprecated: true),
                PortSettings(number: 443, tls: .init(certificate: "c", key: "k")),
                PortSettings(number: 8443, tls: .init(certificate: "other", key: "k")),
            ])
        #expect(settings.localPort == 5000)
        #expect(throws: SettingsError.self) { try read("port: {443: {ssl: {enabled: true}}}") }
        #expect(throws: SettingsError.self) { try read("port: 5000\nlocal_port: 5000") }
        #expect(try read("ssl: {enabled: true, certificate: c, key: k}").ports.map(\.number) == [443])
    }

    @Test("p144_a certificate that is named means TLS, unless it is said that it does not")
    func namedCertificate() throws {
        let tls = PortSettings.TLS(certificate: "c", key: "k")
        #expect(try read("ssl: {certificate: c, key: k}").ports == [PortSettings(number: 443, tls: tls)])
        #expect(
            try read("port: 8080\nssl: {certificate: c, key: k}").ports == [
                PortSettings(number: 8080, tls: tls)
            ])
        let settings = try read(
            """
            port:
              80: {ssl: {enabled: false}}
              443: {ssl: {certificate: c, key: k}}
              8080:
            """)
        #expect(settings.ports.map(\.tls) == [nil, tls, nil])
        #expect(try read("port: 80\nssl: {enabled: false, certificate: c, key: k}").ports.first?.tls == nil)
        for yaml in ["ssl: {certificate: c}", "port: {443: {ssl: {certificate: c}}}"] {
            #expect(throws: SettingsError.self, "\(yaml)") { try read(yaml) }
        }
    }

    @Test("what the templates of version 1 can make loads, and what has no effect is said once each")
    func templates() throws {
        let settings = try read(
            """
            port: {80: {deprecated: true, threaded: false}, 8080: {threaded: true}}
            threaded: true
            database: {name: penguindome}
            logging: {handler: stderr, level: debug, syslog: {facility: user, port: syslog}}
            audit_cron: {enabled: no}
            secret_keeping: {enabled: no, num_shares: 2, combine_threshold: 2}
            support_arch_linux: true
            """)
        #expect(settings.ports.map(\.number) == [80, 8080])
        #expect(settings.notes.count { $0.contains("threaded") } == 1)
        #expect(settings.notes.count { $0.contains("support_arch_linux") } == 1)
        #expect(settings.notes.count == 2)
        for (handler, place) in [
            ("StderrHandler", LogSettings.Place.standardError), ("SyslogHandler", .syslog(.init())),
            ("syslog", .syslog(.init())),
        ] {
            let settings = try read("logging: {handler: \(handler)}")
            #expect(settings.logging.destinations.map(\.place) == [place] && settings.notes.isEmpty)
        }
        for handler in ["NullHandler", "mail", "fingers_crossed", "file", "RotatingFileHandler"] {
            let settings = try read("logging: {handler: \(handler)}")
            #expect(settings.logging.destinations.map(\.place) == [.standardError])
            #expect(settings.notes.count == 1, "\(handler)")
        }
        #expect(
            try read("logging: {handler: timed_rotating_file, file: /x}").logging.destinations.map(\.place)
                == [.file(path: "/x", maximumBytes: 16 << 20, kept: 5)])
        for yaml in ["{handler: sylog}", "{syslog: {port: nothing-of-that-name}}", "{syslog: {port: 0}}"] {
            #expect(throws: SettingsError.self, "\(yaml)") { try read("logging: \(yaml)") }
        }
    }

    @Test("a tool does without what is wrong, unless that is where the database is")
    func tolerance() throws {
        func problems(_ yaml: String) throws -> [String] {
            #expect(throws: SettingsError.self, "\(yaml)") { try read(yaml) }
            let settings = try ServerSettings(yaml: yaml, file: "server.yml", isStrict: false)
            #expect(settings.database.file == "x")
            return settings.problems.map(\.description)
        }
        for yaml in [
            "groups: {a: [nobody]}", "port: many", "logging: {level: loud}", "limits: {pipes: x}",
            "alerts: {from: nobody}", "address: 999.1.1.1", "prot: 1", "local_port: x",
            "port: 80\nlocal_port: 80", "metrics: {allow: [x]}", "secret_keeping: {num_shares: 1}",
        ] {
            #expect(try problems("database: {file: x}\n\(yaml)").count == 1, "\(yaml)")
        }
        for yaml in ["database: {hots: x}", "a: [", "- x"] {
            #expect(throws: SettingsError.self, "\(yaml)") {
                try ServerSettings(yaml: yaml, file: "server.yml", isStrict: false)
            }
        }
    }

    @Test("the settings of the documentation of version 1 say who may do what")
    func authentication() throws {
        let hash = "$pbkdf2-sha256$200000$AcAYQ8j5X0tpzRkD4HwvxQ$.EIGFP/1iRPNabcPHw8bOvR.MbYVWFXauC2jJV5hleo"
        let settings = try read(
            """
            users:
              fred: \(hash)
            groups:
              server_admins:
                - fred
            server_auth:
              download_release:
                ipranges: [127.0.0.1, "fe00::0", 192.168.4.0/24]
                users: [fred]
                passwords:
                  download_user: \(hash)
              pipe_create:
                groups: [server_admins]
            """)
        #expect(
            settings.downloadRelease?.ranges.map(\.description) == ["127.0.0.1", "fe00::", "192.168.4.0/24"])
        #expect(settings.downloadRelease?.passwords.keys.sorted() == ["download_user", "fred"])
        #expect(settings.pipeCreate?.passwords.keys.sorted() == ["fred"])
        for yaml in [
            "groups: {a: [nobody]}", "server_auth: {pipe_create: {groups: [none]}}",
            "server_auth: {download_release: {ipranges: [10.0.0.1/8]}}",
            "server_auth: {pipe_create: {passwords: {a: b}}}", "server_auth: {pipe_crate: {}}",
            "trusted_proxies: [everybody]",
        ] {
            #expect(throws: SettingsError.self, "\(yaml)") { try read(yaml) }
        }
    }

    @Test(
        "a rule that is empty admits nobody, which is not the same as no rule",
        arguments: ["download_release: null", "download_release: {}", "download_release: {passwords: {}}"])
    func emptyRule(rule: String) throws {
        #expect(try read("server_auth: {\(rule)}").downloadRelease == AccessRule())
        #expect(try read("server_auth: {pipe_create: {}}").downloadRelease == nil)
    }

    @Test("no error about a password quotes it")
    func secrets() throws {
        let error = #expect(throws: SettingsError.self) { try read("users: {fred: plain-secret}") }
        #expect(error.map { "\($0)".contains("plain-secret") } == false)
    }

    @Test("the environment takes the place of settings, and a name that is not known is told")
    func environment() throws {
        func read(_ environment: [String: String]) throws -> ServerSettings {
            try ServerSettings(yaml: "port: 80", file: "server.yml", environment: environment)
        }
        let settings = try read([
            "PENGUINDOME_PORT": "8080", "PENGUINDOME_ADDRESS": "127.0.0.1", "PENGUINDOME_LOCAL_PORT": "5000",
            "PENGUINDOME_LOG_LEVEL": "debug", "PENGUINDOME_STATE": "/x", "PENGUINDOME_PROT": "1", "HOME": "/",
        ])
        #expect(settings.ports.map(\.number) == [8080] && settings.address == "127.0.0.1")
        #expect(settings.localPort == 5000 && settings.logging.level == .debug)
        #expect(settings.notes.count == 1 && settings.notes.first?.contains("PENGUINDOME_PROT") == true)
        #expect(throws: SettingsError.self) { try read(["PENGUINDOME_PORT": "http"]) }
        #expect(throws: SettingsError.self) { try read(["PENGUINDOME_LOG_LEVEL": "loud"]) }
        #expect(try read(["PENGUINDOME_PORT": ""]).ports.map(\.number) == [80])
    }

    @Test("the settings file is changed port by port and user by user, and never into one that does not load")
    func settingsFile() throws {
        let file = FileManager.default.temporaryDirectory.appending(path: "pd-\(UUID().uuidString).yml")
        defer { try? FileManager.default.removeItem(at: file) }
        try PrivateFiles.write(
            Array("# mine\nport: 8080\nlogging:\n  level: info  # enough\n".utf8), to: file)
        var settings = try SettingsFile(file)
        try settings.add(port: 8443, isDeprecated: true, tls: .init(certificate: "/c", key: "/k"))
        try settings.setPassword(
            try PasswordHash(password: SecretBytes(copying: "x".utf8), rounds: 1, random: SecureRandom())
                .modular,
            of: "fred", in: .server)
        try settings.save()
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.hasPrefix("# mine\nport:\n") && text.contains("level: info  # enough"))
        var again = try SettingsFile(file)
        #expect(
            try again.settings().ports == [
                PortSettings(number: 8080),
                PortSettings(number: 8443, isDeprecated: true, tls: .init(certificate: "/c", key: "/k")),
            ])
        #expect(try again.users(in: .server) == ["fred"])
        try again.remove(port: 8080)
        try again.removePassword(of: "fred", in: .server)
        #expect(try again.settings().ports.map(\.number) == [8443])
        #expect(try again.users(in: .server).isEmpty)
        try again.setPassword("no hash", of: "anna", in: .endpoint("pipe_create"))
        #expect(throws: SettingsError.self) { try again.save() }
        #expect(try String(contentsOf: file, encoding: .utf8) == text)
    }
}
