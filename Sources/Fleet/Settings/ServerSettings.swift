import Foundation
import Logging
import PDBasics
import PDLogs
import PDProtocol
import PDSettings
import PDStore

/// The settings of a server: `server.yml`, under the names that version 1 uses.
package struct ServerSettings: Sendable, Equatable {
    /// The ports to listen on.
    package var ports: [PortSettings]
    /// The address to bind; all of them unless set.
    package var address: String
    /// A port for this machine alone, without TLS; none unless set.
    package var localPort: Int?
    /// Where the log goes.
    package var logging: LogSettings
    /// Where hosts are kept: a file, relative to the state directory, `fleet.sqlite` unless set; or a MongoDB database.
    var database: Database
    /// How long what is old is kept.
    package var retention: Retention
    /// Who may download releases; everybody where nothing is said.
    package var downloadRelease: AccessRule?
    /// Who may create pipes; nobody where nothing is said.
    package var pipeCreate: AccessRule?
    /// Proxies whose `X-Forwarded-For` is believed.
    package var trustedProxies: [AddressRange]
    /// Who may read the metrics, besides this machine.
    package var metricsRanges: [AddressRange]
    /// What peers may take.
    package var limits: Limits

    /// The port that new agents are to use.
    package var mainPort: PortSettings? { ports.first { !$0.isDeprecated } ?? ports.first }

    /// How often the server audits the fleet itself; never unless set.
    package var auditInterval: TimeSpan?

    /// How people are told what is wrong.
    package var alerts: AlertSettings

    /// What the file asks for and this server does not do; lines for people, logged at start.
    package var notes: [String] = []

    /// What is wrong, where a tool has read the file that can do without it: a server would not start.
    package var problems: [SettingsError] = []

    /// What peers may take: `limits`.
    package struct Limits: Sendable, Equatable {
        /// How many connections may be open on a port.
        package var connections: Int
        /// How many requests may be under way.
        package var requests: Int
        /// How many signed requests one host may make in a minute, in the long run.
        package var requestsPerMinute: Int
        /// How many pipes there may be.
        package var pipes: Int

        /// How many connections a port serves unless the settings say otherwise.
        package static let standardConnections = 20_000
        /// How many requests are under way at most unless the settings say otherwise: many more than a store commits in
        /// a second.
        package static let standardRequests = 4096

        init(_ top: inout SettingsMapping) throws(SettingsError) {
            var limits = try top.mapping("limits")
            connections = try limits.integer("connections", in: 1...1_000_000) ?? Self.standardConnections
            requests = try limits.integer("requests", in: 1...100_000) ?? Self.standardRequests
            requestsPerMinute = try limits.integer("host_requests_per_minute", in: 1...1_000_000) ?? 1200
            pipes = try limits.integer("pipes", in: 0...10_000) ?? 64
            try limits.finish()
        }
    }

    /// Reads a settings file's text.
    ///
    /// - Parameters:
    ///   - yaml: the text.
    ///   - file: how errors name it.
    ///   - environment: variables that take the place of settings, see ``override(with:)``.
    ///   - isStrict: whether any mistake is an error. A tool can do without most of the settings: what is wrong then goes
    ///     to ``problems``, and the defaults stand in its place. Without knowing the database no tool can do.
    package init(
        yaml: String, file: String, environment: [String: String] = [:], isStrict: Bool = true
    ) throws(SettingsError) {
        var top = try SettingsMapping(yaml: yaml, file: file)
        var problems: [SettingsError] = []
        var notes: [String] = []
        /// Reads a part. Where it is wrong and may be, it is as if the file said nothing about it.
        func part<Part>(
            _ read: (inout SettingsMapping) throws(SettingsError) -> Part
        ) throws(SettingsError) -> Part {
            do throws(SettingsError) { return try read(&top) } catch {
                guard !isStrict else { throw error }
                problems.append(error)
                var nothing = try SettingsMapping(yaml: "", file: file)
                return try read(&nothing)
            }
        }
        database = try Self.database(&top)
        ports = try part { top throws(SettingsError) in try PortSettings.read(&top, notes: &notes) }
        address = try part { top throws(SettingsError) in
            let address = try top.string("address") ?? "::"
            guard Self.isAddress(address) else { throw top.error("address", Self.addressMessage) }
            return address
        }
        localPort = try part { top throws(SettingsError) in
            try top.integer("local_port", in: 0...65_535).flatMap { $0 == 0 ? nil : $0 }
        }
        logging = try part { top throws(SettingsError) in try LogSettings(&top, notes: &notes) }
        let access = try part { top throws(SettingsError) in try AccessSettings(&top) }
        downloadRelease = access.downloadRelease
        pipeCreate = access.pipeCreate
        trustedProxies = try part { top throws(SettingsError) in
            try AddressRange.read("trusted_proxies", in: &top)
        }
        metricsRanges = try part { top throws(SettingsError) in
            var metrics = try top.mapping("metrics")
            let ranges = try AddressRange.read("allow", in: &metrics)
            try metrics.finish()
            return ranges
        }
        limits = try part { top throws(SettingsError) in try Limits(&top) }
        retention = try part { top throws(SettingsError) in try Self.retention(&top) }
        let audit = try part { top throws(SettingsError) in try Self.audit(&top) }
        auditInterval = audit.interval
        alerts = try part { top throws(SettingsError) in
            try AlertSettings(&top, auditAddress: audit.address)
        }
        try part { top throws(SettingsError) in try Self.readWhatIsNotServed(&top, notes: &notes) }
        // What was not read because of a mistake before it is no mistake.
        if problems.isEmpty { try part { top throws(SettingsError) in try top.finish() } }
        if localPort.map({ port in ports.contains { $0.number == port } }) == true {
            let error = top.error("local_port", "is one of the other ports too")
            guard !isStrict else { throw error }
            problems.append(error)
        }
        self.notes = notes
        self.problems = problems
        try override(with: environment)
    }

    /// Settings of version 1 for things that this server does not do. Their names are checked as all others are, so that
    /// a typing error shows; that they have no effect is said.
    private static func readWhatIsNotServed(
        _ top: inout SettingsMapping, notes: inout [String]
    ) throws(SettingsError) {
        if try top.bool("support_arch_linux") != nil {
            notes.append(
                "support_arch_linux has no effect: hosts find out for themselves what they can update")
        }
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
    }

    /// Reads `audit_cron`: `enabled`, how long to wait from one audit to the next, and `email`, to whom its findings go.
    private static func audit(
        _ top: inout SettingsMapping
    ) throws(SettingsError) -> (interval: TimeSpan?, address: String?) {
        var cron = try top.mapping("audit_cron")
        var interval = TimeSpan(milliseconds: 300_000)
        if let span = try cron.span("interval") {
            guard span.milliseconds >= 1000 else { throw cron.error("interval", "must be a second at least") }
            interval = span
        }
        let isEnabled = try cron.bool("enabled") ?? false
        let address = try cron.string("email")
        try cron.finish()
        return (isEnabled ? interval : nil, address)
    }

    /// Variables of the environment that take the place of settings: `PENGUINDOME_PORT`, `PENGUINDOME_ADDRESS`,
    /// `PENGUINDOME_LOCAL_PORT`, `PENGUINDOME_LOG_LEVEL`. Of all others that begin with `PENGUINDOME_`, only those that
    /// the tools know are let pass: a mistyped one must not be without effect.
    private mutating func override(with environment: [String: String]) throws(SettingsError) {
        for (name, value) in environment.sorted(by: { $0.key < $1.key })
        where name.hasPrefix("PENGUINDOME_") && !value.isEmpty {
            func port() throws(SettingsError) -> Int {
                guard let number = Int(value), (0...65_535).contains(number) else {
                    throw Self.environmentError(name, "is not a port from 0 to 65535")
                }
                return number
            }
            switch name {
            case "PENGUINDOME_PORT":
                let number = try port()
                ports = [PortSettings(number: number, tls: ports.first?.tls)]
            case "PENGUINDOME_ADDRESS":
                guard Self.isAddress(value) else { throw Self.environmentError(name, Self.addressMessage) }
                address = value
            case "PENGUINDOME_LOCAL_PORT":
                let number = try port()
                localPort = number == 0 ? nil : number
            case "PENGUINDOME_LOG_LEVEL":
                guard let level = Logger.Level(settingWord: value) else {
                    throw Self.environmentError(name, "is none of \(Logger.Level.settingWords)")
                }
                for index in logging.destinations.indices { logging.destinations[index].level = level }
            case "PENGUINDOME_STATE", "PENGUINDOME_CONFIG", "PENGUINDOME_CORE_ONLY": break
            default: notes.append("\(name) is set in the environment, but is nothing that this server knows")
            }
        }
    }

    private static let addressMessage = "is neither an address nor the name of one"

    /// Whether it can be bound, as far as can be told from how it is written: digits and dots alone are no name.
    private static func isAddress(_ text: String) -> Bool {
        IPAddress(text) != nil || Hostname(text) != nil && text.contains(where: \.isLetter)
    }

    private static func environmentError(_ name: String, _ message: String) -> SettingsError {
        SettingsError(file: "environment", line: nil, message: "\(name) \(message)")
    }
}
