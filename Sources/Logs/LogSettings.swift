import Glibc
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

        /// The handlers of version 1 that this server does not have, by the names that Logbook gives them.
        private static let foreign: Set = [
            "brotlicompression", "fingerscrossed", "group", "gzipcompression", "mail", "gmail", "nteventlog",
            "null", "stream", "tagging", "test", "threadedwrapper", "twitter", "wrapper",
        ]
        private static let files: Set = ["rotatingfile", "timedrotatingfile", "monitoringfile"]

        /// Reads a name: this server's own, or version 1's, such as `SyslogHandler` or `rotating_file`; `foreign` where it
        /// is one of those that this server does not have.
        static func named(_ text: String) -> (handler: Handler, isForeign: Bool)? {
            var name = text.lowercased().filter { $0 != "_" && $0 != "-" }
            if name.hasSuffix("handler") { name.removeLast("handler".count) }
            if let own = Handler(rawValue: name) { return (own, false) }
            if files.contains(name) { return (.file, false) }
            return foreign.contains(name) ? (.stderr, true) : nil
        }
    }

    private enum Format: String, CaseIterable {
        case text, json
    }

    /// Reads `logging`: one destination under the names of version 1, or several as a list under `destinations`.
    ///
    /// - Parameters:
    ///   - level: the level where none is set.
    ///   - notes: gets what has no effect.
    package init(
        _ top: inout SettingsMapping, otherwise level: Logger.Level = .info, notes: inout [String]
    ) throws(SettingsError) {
        var logging = try top.mapping("logging")
        let first = try Self.destination(&logging, otherwise: level, &notes)
        var others: [Destination] = []
        for mapping in try logging.mappings("destinations") {
            var mapping = mapping
            others.append(try Self.destination(&mapping, otherwise: first.level, &notes))
            try mapping.finish()
        }
        // A `handler` beside the list is one more destination.
        destinations = others.isEmpty || logging.has("handler") ? [first] + others : others
        try logging.finish()
    }

    private static func destination(
        _ mapping: inout SettingsMapping, otherwise level: Logger.Level, _ notes: inout [String]
    ) throws(SettingsError) -> Destination {
        let level = try mapping.logLevel("level") ?? level
        let json = try mapping.choice("format", Format.self) == .json
        let syslog = try SyslogSettings(&mapping)
        let path = try mapping.string("file")
        let maximumBytes = try mapping.integer("max_bytes", in: 4096...(1 << 40)) ?? 16 << 20
        let kept = try mapping.integer("keep", in: 0...1000) ?? 5
        var handler = Handler.stderr
        if let name = try mapping.string("handler") {
            guard let (found, isForeign) = Handler.named(name) else {
                let known = Handler.allCases.map(\.rawValue).joined(separator: ", ")
                throw mapping.error("handler", "must be one of \(known), or one of Logbook's")
            }
            handler = found
            if isForeign {
                notes.append("logging:handler \(name) is not known here: it logs to standard error")
            }
        }
        let place: Place
        switch handler {
        case .stderr, .journald: place = .standardError
        case .syslog: place = .syslog(syslog)
        case .file:
            if let path {
                let folder = mapping.file.lastIndex(of: "/").map { mapping.file[...$0] } ?? ""
                let whole = path.hasPrefix("/") ? path : folder + path
                place = .file(path: whole, maximumBytes: maximumBytes, kept: kept)
            } else {
                // Version 1 had no setting for the name of the file.
                notes.append("logging:handler is file, without file: PATH: it logs to standard error")
                place = .standardError
            }
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

    /// This machine's own log.
    package init() {}

    /// A port by its number or the name of its service (services(5)). `syslog`, which version 1 has as its default, is known
    /// where the machine has no such list.
    private static func port(_ text: String) -> Int? {
        if let number = Int(text) { return (1...65_535).contains(number) ? number : nil }
        if text == "syslog" { return 514 }
        return getservbyname(text, "udp").map { Int(UInt16(truncatingIfNeeded: $0.pointee.s_port).bigEndian) }
    }

    init(_ owner: inout SettingsMapping) throws(SettingsError) {
        var syslog = try owner.mapping("syslog")
        // Beside it is where version 1's agents have it by default.
        let beside = try owner.string("facility")
        if let name = try syslog.string("facility") ?? beside {
            guard let number = Self.facilities.firstIndex(of: name.lowercased()) else {
                throw syslog.error("facility", "is none of \(Self.facilities.joined(separator: ", "))")
            }
            facility = number
        }
        let hostname = try syslog.string("host")
        host = hostname ?? "localhost"
        if let text = try syslog.string("port") {
            guard let number = Self.port(text) else {
                throw syslog.error("port", "must be a number from 1 to 65535, or the name of a service")
            }
            port = number
        }
        // In version 1, naming a machine is how datagrams are asked for.
        transport = try syslog.choice("transport", Transport.self) ?? (hostname == nil ? .local : .udp)
        try syslog.finish()
    }
}
