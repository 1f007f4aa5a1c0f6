import PDDocument
import PDLogs
import PDProtocol
import PDSettings

/// What an agent is set to, from `agent.yml`.
public struct AgentSettings: Sendable, Equatable {
    /// `server_url`: scheme, host and port of the server, without a slash at the end.
    public var serverURL: String
    /// `hostname`: what to report as; the machine's own name where it is not set.
    public var hostname: Hostname?
    /// `schedule:collect_interval`: minutes between two collections.
    public var collectInterval = 5
    /// `schedule:submit_interval`: minutes between two attempts to deliver.
    public var submitInterval = 1
    /// `logging`: where the log goes, and how much of it.
    package var logging = LogSettings(level: .notice)
    /// `ssl:ca_path`: a PEM file with the certificates to trust instead of the system's.
    public var caPath: String?
    /// `proxy`: by which proxy the server is reached; what the environment says where it is not set.
    public var proxy = HTTPProxy.environment
    /// `secret_keeping:selectors`, where `secret_keeping:enabled` is true: values that must not be sent in the clear.
    public var privateSelectors: [String] = []
    /// `trust`: whose releases, patches, commands and shells this machine obeys.
    public var trust = Trust()
    /// `update:channel`: the line of releases that this machine follows.
    public var channel = "stable"
    /// `collectors`: which collectors and plugins are switched on or off, by name; of the others the standard counts.
    public var collectors: [String: Bool] = [:]
    /// `collector_settings`: what single collectors and plugins are set to, in a document for each.
    public var collectorSettings: Document = [:]
    /// Selectors of what is left out of reports, since this agent cannot seal it.
    public var withheld: [String] { privateSelectors + GeolocationCollector.privateSelectors }
    /// What this agent does otherwise than the settings say; lines for people.
    public var notes: [String] = []

    /// Reads the settings.
    ///
    /// - Parameters:
    ///   - yaml: the text of the file.
    ///   - file: its path; a relative `ssl:ca_path` starts in the same folder.
    ///   - defaults: what the fleet wants where the file says nothing, from ``fleetDefaults(yaml:file:)``.
    /// - Throws: ``SettingsError`` with file and line, also for every name that is not a setting.
    public init(yaml: String, file: String, defaults: SettingsMapping? = nil) throws(SettingsError) {
        var top = try SettingsMapping(yaml: yaml, file: file)
        if let defaults { top.fill(from: defaults) }
        guard let url = try top.string("server_url") else {
            throw SettingsError(
                file: file, line: nil, message: "server_url is missing: set it to https://HOST:PORT")
        }
        guard let address = Self.normalised(url) else {
            throw top.error("server_url", "must be http://HOST:PORT or https://HOST:PORT")
        }
        serverURL = address
        if let name = try top.string("hostname") {
            guard let hostname = Hostname(name) else { throw top.error("hostname", "is not a host name") }
            self.hostname = hostname
        }

        var schedule = try top.mapping("schedule")
        collectInterval = try schedule.integer("collect_interval", in: 1...10_080) ?? 5
        submitInterval = try schedule.integer("submit_interval", in: 1...10_080) ?? 1
        try schedule.finish()

        trust = try Trust(&top)
        var update = try top.mapping("update")
        channel = try update.string("channel") ?? channel
        try update.finish()

        logging = try LogSettings(&top, otherwise: .notice, notes: &notes)

        var ssl = try top.mapping("ssl")
        caPath = try ssl.string("ca_path").map { path in
            path.hasPrefix("/") ? path : (file.lastIndex(of: "/").map { String(file[...$0]) } ?? "") + path
        }
        try ssl.finish()
        if let name = try top.string("proxy") {
            guard let proxy = HTTPProxy(setting: name) else {
                throw top.error("proxy", "must be http://HOST:PORT, https://HOST:PORT or none")
            }
            self.proxy = proxy
        }

        try readCollectors(&top)
        try readSecretKeeping(&top)
        try top.finish()
    }

    /// The settings that a release may bring. Who the server is and whom this machine trusts is none of them.
    static let fleetNames = [
        "schedule", "logging", "secret_keeping", "update", "collectors", "collector_settings",
    ]

    /// Reads the settings that a release brought.
    ///
    /// - Throws: ``SettingsError`` also for a setting that a release may not bring.
    public static func fleetDefaults(yaml: String, file: String) throws(SettingsError) -> SettingsMapping {
        let defaults = try SettingsMapping(yaml: yaml, file: file)
        for name in defaults.names where !fleetNames.contains(name) {
            throw defaults.error(
                name, "cannot be set by a release, only \(fleetNames.joined(separator: ", ")) can")
        }
        // Read once with nothing beside them: a mistake must not wait for the machine that does not say it itself.
        _ = try AgentSettings(yaml: "server_url: http://release.invalid", file: file, defaults: defaults)
        return defaults
    }

    private mutating func readCollectors(_ top: inout SettingsMapping) throws(SettingsError) {
        var switches = try top.mapping("collectors")
        for name in switches.names {
            guard OrderStatement.Command.isName(name) else {
                throw switches.error(name, "is not the name of a collector")
            }
            collectors[name] = try switches.bool(name)
        }
        try switches.finish()

        var all = try top.mapping("collector_settings")
        var documents: [String: [String: Value]] = [:]
        for name in all.names {
            guard OrderStatement.Command.isName(name) else {
                throw all.error(name, "is not the name of a collector")
            }
            var own = try all.mapping(name)
            for key in own.names {
                let texts = try own.strings(key)
                documents[name, default: [:]][key] =
                    texts.count == 1 ? .string(texts[0]) : .array(texts.map(Value.string))
            }
            try own.finish()
        }
        try all.finish()
        if let key = try top.string("geolocation_api_key") {
            // The one setting of a collector that older fleets have.
            documents["geolocation", default: [:]].merge([
                "key": .string(key), "url": .string(GeolocationCollector.googleURL),
            ]) { own, _ in own }
        }
        collectorSettings = Document(
            documents.sorted { $0.key < $1.key }.map { name, fields in
                (name, .document(Document(fields.sorted { $0.key < $1.key }.map { ($0, $1) })))
            })
    }

    /// Whether a collector or plugin of that name runs.
    public func isOn(_ collector: String) -> Bool {
        collectors[collector] ?? !BuiltInCollectors.offByDefault.contains(collector)
    }

    private mutating func readSecretKeeping(_ top: inout SettingsMapping) throws(SettingsError) {
        var keeping = try top.mapping("secret_keeping")
        let enabled = try keeping.bool("enabled") ?? false
        let selectors = try keeping.strings("selectors")
        _ = try (keeping.string("key_id"), keeping.string("key_name"), keeping.string("key_fingerprint"))
        try keeping.finish()
        if enabled, !selectors.isEmpty {
            privateSelectors = selectors
            notes.append("secret_keeping is enabled: this agent leaves the private values out of its reports")
        }
    }

    /// Without slashes at the end; nothing where it is not the address of a server. A user name or password is not
    /// taken, since the address is logged.
    private static func normalised(_ url: String) -> String? {
        var url = Substring(url)
        while url.last == "/" { url.removeLast() }
        for scheme in ["http://", "https://"] where url.lowercased().hasPrefix(scheme) {
            let rest = url.dropFirst(scheme.count)
            let host = rest.prefix { $0 != "/" }
            guard !host.isEmpty, host.first != ":",
                rest.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && !"@?#\\\"<>".utf8.contains($0) })
            else { return nil }
            return scheme + rest
        }
        return nil
    }
}
