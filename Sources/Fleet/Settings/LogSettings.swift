import Foundation
import Logging
import PDSettings

/// Where the log goes, and how much of it: `logging`.
package struct LogSettings: Sendable, Equatable {
    /// One place that the log goes to.
    package struct Destination: Sendable, Equatable {
        /// Where.
        package var place: Place
        /// What is told there at least.
        package var level: Logger.Level
        /// Whether each line is a JSON object.
        package var json: Bool

        /// A destination.
        package init(place: Place, level: Logger.Level, json: Bool = false) {
            self.place = place
            self.level = level
            self.json = json
        }
    }

    /// Where a log can go.
    package enum Place: Sendable, Equatable {
        /// Standard error, which systemd takes into the journal.
        case standardError
        /// The system's log.
        case syslog(SyslogSettings)
        /// A file that is set aside when it is full. What the settings name lies beside them.
        case file(path: String, maximumBytes: Int, kept: Int)
    }

    /// All destinations, at least one.
    package var destinations: [Destination]

    /// What any destination wants to know at least.
    package var level: Logger.Level { destinations.map(\.level).min() ?? .info }

    /// Logs to standard error.
    package init(level: Logger.Level = .info) {
        destinations = [Destination(place: .standardError, level: level)]
    }

    private enum Handler: String, CaseIterable {
        case stderr, journald, syslog, file
    }

    private enum Format: String, CaseIterable {
        case text, json
    }

    /// Reads `logging`: one destination under the names of version 1, or several as a list under `destinations`.
    init(_ top: inout SettingsMapping) throws(SettingsError) {
        var logging = try top.mapping("logging")
        let first = try Self.destination(&logging, otherwise: .info)
        var others: [Destination] = []
        for mapping in try logging.mappings("destinations") {
            var mapping = mapping
            others.append(try Self.destination(&mapping, otherwise: first.level))
            try mapping.finish()
        }
        // A `handler` beside the list is one more destination.
        destinations = others.isEmpty || logging.has("handler") ? [first] + others : others
        try logging.finish()
    }

    private static func destination(
        _ mapping: inout SettingsMapping, otherwise level: Logger.Level
    ) throws(SettingsError) -> Destination {
        let level = try mapping.logLevel("level") ?? level
        let json = try mapping.choice("format", Format.self) == .json
        let syslog = try SyslogSettings(&mapping)
        let path = try mapping.string("file")
        let maximumBytes = try mapping.integer("max_bytes", in: 4096...(1 << 40)) ?? 16 << 20
        let kept = try mapping.integer("keep", in: 0...1000) ?? 5
        let place: Place
        switch try mapping.choice("handler", Handler.self) ?? .stderr {
        case .stderr, .journald: place = .standardError
        case .syslog: place = .syslog(syslog)
        case .file:
            guard let path else { throw mapping.error("handler", "is file, and needs file: PATH") }
            let url = URL(filePath: path, relativeTo: URL(filePath: mapping.file))
            place = .file(path: url.path, maximumBytes: maximumBytes, kept: kept)
        }
        return Destination(place: place, level: level, json: json)
    }
}

/// How the system's log is reached: `logging:syslog`.
package struct SyslogSettings: Sendable, Equatable {
    /// What carries the messages.
    package enum Transport: String, Sendable, CaseIterable {
        /// The socket of this machine, `/dev/log`.
        case local
        /// Datagrams (RFC 5426).
        case udp
        /// A connection, each message behind its length (RFC 6587, section 3.4.1).
        case tcp
    }

    /// The names of facilities (RFC 5424, section 6.2.1), by their number.
    static let facilities = [
        "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
        "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5",
        "local6",
        "local7",
    ]

    /// The number of the facility.
    package var facility = 3
    /// The transport.
    package var transport = Transport.local
    /// The other machine, where there is one.
    package var host = "localhost"
    /// Its port.
    package var port = 514

    init(_ owner: inout SettingsMapping) throws(SettingsError) {
        var syslog = try owner.mapping("syslog")
        if let name = try syslog.string("facility") {
            guard let number = Self.facilities.firstIndex(of: name.lowercased()) else {
                throw syslog.error("facility", "is none of \(Self.facilities.joined(separator: ", "))")
            }
            facility = number
        }
        let hostname = try syslog.string("host")
        host = hostname ?? "localhost"
        port = try syslog.integer("port", in: 1...65_535) ?? 514
        // In version 1, naming a machine is how datagrams are asked for.
        transport = try syslog.choice("transport", Transport.self) ?? (hostname == nil ? .local : .udp)
        try syslog.finish()
    }
}
