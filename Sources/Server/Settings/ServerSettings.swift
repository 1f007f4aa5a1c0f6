import Foundation
import Logging
import PDSettings

/// The settings of a server: `server.yml`, under the names that version 1 uses.
public struct ServerSettings: Sendable, Equatable {
    /// The ports to listen on.
    public var ports: [Int]
    /// The address to bind; all of them unless set.
    public var address: String
    /// What is logged at least.
    public var logLevel: Logger.Level
    /// The file of the embedded store; `fleet.sqlite` in the state directory unless set. Relative to that directory.
    public var databaseFile: String?

    /// What the file asks for and this server does not do; lines for people, logged at start.
    public var notes: [String] = []

    /// Logbook's names for levels, which settings of version 1 use, beside those of swift-log.
    private enum Level: String, CaseIterable {
        case trace, debug, info, notice, warning, warn, error, critical

        var level: Logger.Level {
            switch self {
            case .trace: .trace
            case .debug: .debug
            case .info: .info
            case .notice: .notice
            case .warning, .warn: .warning
            case .error: .error
            case .critical: .critical
            }
        }
    }

    /// Reads a settings file's text.
    ///
    /// - Parameters:
    ///   - yaml: the text.
    ///   - file: how errors name it.
    public init(yaml: String, file: String) throws(SettingsError) {
        var top = try SettingsMapping(yaml: yaml, file: file)
        ports = try Self.ports(&top)
        address = try top.string("address") ?? "::"
        var logging = try top.mapping("logging")
        logLevel = try logging.choice("level", Level.self)?.level ?? .info
        if let handler = try logging.string("handler"), handler != "stderr" {
            notes.append("logging:handler is \(handler), but this server logs to standard error")
        }
        var syslog = try logging.mapping("syslog")
        _ = try (syslog.string("facility"), syslog.string("host"), syslog.integer("port", in: 1...65_535))
        try syslog.finish()
        try logging.finish()
        var database = try top.mapping("database")
        databaseFile = try database.string("file")
        if try !database.strings("host").isEmpty, databaseFile == nil {
            throw database.error(
                "host",
                "names a MongoDB server, but this server keeps an embedded database: set database:file")
        }
        _ = try (
            database.string("replicaset"), database.string("name"), database.string("username"),
            database.string("password")
        )
        try database.finish()
        try readWhatIsNotServed(&top)
        try top.finish()
    }

    /// Settings of version 1 for things that this server does not do. Their names are checked as all others are, so that
    /// a typing error shows; that they have no effect is said.
    private mutating func readWhatIsNotServed(_ top: inout SettingsMapping) throws(SettingsError) {
        _ = try top.integer("local_port", in: 1...65_535)
        try Self.readPlain(&top)
        var keeping = try top.mapping("secret_keeping")
        if try keeping.bool("enabled") == true {
            notes.append(
                "secret_keeping is enabled, but this server does not encrypt what agents send in the clear")
        }
        _ = try (
            keeping.string("key_name"), keeping.string("key_id"), keeping.string("key_fingerprint"),
            keeping.strings("selectors"), keeping.integer("num_shares", in: 2...255),
            keeping.integer("combine_threshold", in: 2...255)
        )
        try keeping.finish()
        var cron = try top.mapping("audit_cron")
        if try cron.bool("enabled") == true {
            notes.append("audit_cron is enabled, but audits run only when pd-admin issues audit is called")
        }
        _ = try cron.string("email")
        try cron.finish()
        for name in ["server_auth", "users", "groups"] where top.node(name) != nil {
            notes.append("\(name) is set, but no endpoint of this server asks for a password")
        }
    }

    /// An `ssl` mapping. Going on without the TLS that it asks for would be unsafe.
    private static func readPlain(_ owner: inout SettingsMapping) throws(SettingsError) {
        var ssl = try owner.mapping("ssl")
        if try ssl.bool("enabled") == true {
            throw ssl.error(
                "enabled", "asks for TLS, which this server does not serve: put it behind a TLS proxy")
        }
        _ = try (ssl.string("certificate"), ssl.string("key"))
        try ssl.finish()
    }

    /// A number, a list, or version 1's mapping of numbers to what holds for each.
    private static func ports(_ top: inout SettingsMapping) throws(SettingsError) -> [Int] {
        var texts: [String]
        if case .mapping? = top.node("port") {
            var mapping = try top.mapping("port")
            texts = mapping.names
            for name in texts {
                var port = try mapping.mapping(name)
                _ = try port.bool("deprecated")
                try readPlain(&port)
                try port.finish()
            }
        } else {
            texts = try top.strings("port")
        }
        var ports: [Int] = []
        for text in texts {
            guard let port = Int(text), (0...65_535).contains(port) else {
                throw top.error(
                    "port", "must be a number from 0 to 65535, a list of them, or a mapping of them")
            }
            guard !ports.contains(port) else { throw top.error("port", "names \(port) twice") }
            ports.append(port)
        }
        return ports.isEmpty ? [80] : ports
    }
}
