import Glibc
import PDDocument

/// The settings of sshd_config(5) that decide who may log in.
struct SSHDSettings {
    /// Keyword, the name under which it is reported, and OpenSSH's default since 7.0.
    private static let reported = [
        ("passwordauthentication", "password_authentication", "yes"),
        ("kbdinteractiveauthentication", "keyboard_interactive_authentication", "yes"),
        ("pubkeyauthentication", "public_key_authentication", "yes"),
        ("permitemptypasswords", "permit_empty_passwords", "no"),
        ("permitrootlogin", "permit_root_login", "prohibit-password"),
    ]
    /// Older names that sshd still takes.
    private static let aliases = [
        "challengeresponseauthentication": "kbdinteractiveauthentication",
        "skeyauthentication": "kbdinteractiveauthentication",
    ]

    /// Where it listens, as far as the settings say.
    private(set) var ports: Set<UInt16> = []
    private var values: [String: String] = [:]
    /// Keywords that a `Match` block sets for some connections only.
    private var conditional: Set<String> = []
    private var problem: String?
    /// When the last of the files was changed, in milliseconds since 1970-01-01 UTC.
    private(set) var changedAt: Int64?
    /// Why a value among those of several daemons is unknown.
    private var reason: String?

    /// The settings of a daemon, by `sshd -T` where we are root and it answers, else by the files.
    ///
    /// - Parameter daemon: how it was started; nothing for one that is not running.
    static func read(_ machine: Machine, _ daemon: SSHDaemon? = nil) -> SSHDSettings {
        let daemon = daemon ?? SSHDaemon(process: nil, words: [])
        var settings = SSHDSettings()
        // What was said at the start comes first, and the first value counts.
        for option in daemon.options { settings.take(option[...], isConditional: false) }
        settings.ports.formUnion(daemon.ports)
        let file = daemon.file ?? "/etc/ssh/sshd_config"
        if !daemon.isStandard, daemon.file == nil {
            settings.problem = "where \(daemon.program) has its settings is not known"
        } else {
            do {
                try settings.readFile(file, machine, isConditional: false, depth: 0)
            } catch {
                settings.problem = "\(error)"
            }
        }
        // sshd refuses where its host keys cannot be read, or (Debian) its run directory is missing; the files remain.
        if machine.isRoot, let output = daemon.askForSettings(machine), output.returncode == 0 {
            settings.values = [:]
            settings.ports = daemon.ports
            settings.problem = nil
            for line in output.text.split(separator: "\n") { settings.take(line, isConditional: false) }
        }
        if settings.ports.isEmpty { settings.ports = [22] }
        return settings
    }

    /// What several daemons let in together: of each setting, the value that lets in most.
    static func mostPermissive(_ all: [SSHDSettings]) -> SSHDSettings {
        guard var result = all.first else { return SSHDSettings() }
        for other in all.dropFirst() {
            for (keyword, _, standard) in reported {
                let values = [result, other].map {
                    $0.problem == nil ? $0.values[keyword] ?? standard : "unknown"
                }
                let order = [
                    "no", "forced-commands-only", "without-password", "prohibit-password", "unknown", "yes",
                ]
                result.values[keyword] = values.max {
                    (order.firstIndex(of: $0) ?? 4) < (order.firstIndex(of: $1) ?? 4)
                }
            }
            result.ports.formUnion(other.ports)
            result.conditional.formUnion(other.conditional)
            result.reason = result.reason ?? result.problem ?? other.problem
            result.problem = nil
        }
        return result
    }

    /// Whether a file was changed after a daemon was started. It may have been told to read them again since: that leaves no
    /// trace.
    func areNewer(than daemon: SSHDaemon, _ machine: Machine) -> Bool {
        guard let changedAt, let process = daemon.process, let start = machine.start(ofProcess: process)
        else {
            return false
        }
        // The kernel counts from a start that it knows to the second.
        return changedAt > start + 2000
    }

    /// Adds the fields of the result.
    func append(to result: inout DocumentWriter) {
        for (keyword, name, standard) in Self.reported {
            switch (problem == nil ? values[keyword] ?? standard : "unknown") {
            case "yes" where keyword != "permitrootlogin": result.append(name, true)
            case "no" where keyword != "permitrootlogin": result.append(name, false)
            case "without-password": result.append(name, "prohibit-password")
            case let value: result.append(name, .string(value))
            }
        }
        let names = Self.reported.filter { conditional.contains($0.0) }.map(\.1)
        if !names.isEmpty { result.append("differs_by_connection", .array(names.sorted().map(Value.string))) }
        result.append("settings_reason", ifPresent: problem ?? reason)
    }

    // MARK: - Reading

    /// - Parameter isConditional: whether the file is included for some connections only.
    private mutating func readFile(
        _ path: String, _ machine: Machine, isConditional outer: Bool, depth: Int
    ) throws {
        // sshd's own limit.
        guard depth < 16 else { return }
        if let time = machine.modified(path) { changedAt = max(changedAt ?? time, time) }
        var isConditional = outer
        for line in try machine.text(path).split(whereSeparator: \.isNewline) {
            let words = Self.words(line)
            switch words.first?.lowercased() {
            case "match": isConditional = outer || words.dropFirst().map { $0.lowercased() } != ["all"]
            case "include":
                for pattern in words.dropFirst() {
                    for file in try Self.files(matching: pattern, machine) {
                        try readFile(file, machine, isConditional: isConditional, depth: depth + 1)
                    }
                }
            default: take(line, isConditional: isConditional)
            }
        }
    }

    /// The first value of a keyword counts, except for ports, which add up.
    private mutating func take(_ line: Substring, isConditional: Bool) {
        let words = Self.words(line)
        guard words.count >= 2 else { return }
        let keyword = Self.aliases[words[0].lowercased()] ?? words[0].lowercased()
        if isConditional {
            conditional.insert(keyword)
        } else if keyword == "port" {
            if let port = UInt16(words[1]) { ports.insert(port) }
        } else if keyword == "listenaddress" {
            // `host:port` or `[host]:port`; an IPv6 address without brackets has no port.
            let parts = words[1].split(separator: ":", omittingEmptySubsequences: false)
            if parts.count == 2 || words[1].hasPrefix("["), let port = parts.last.flatMap({ UInt16($0) }) {
                ports.insert(port)
            }
        } else if values[keyword] == nil {
            values[keyword] = words[1].lowercased()
        }
    }

    private static func words(_ line: Substring) -> [String] {
        let line = line.prefix { $0 != "#" }
        // `Keyword value`, `Keyword=value`, and values in quotation marks.
        return line.split { $0.isWhitespace || $0 == "=" }.map { word in
            String(word.filter { $0 != "\"" })
        }
    }

    /// The files that a pattern of glob(7) matches, sorted.
    private static func files(matching pattern: String, _ machine: Machine) throws -> [String] {
        let path = pattern.hasPrefix("/") ? pattern : "/etc/ssh/" + pattern
        var found = [""]
        let components = path.split(separator: "/").map(String.init)
        for (index, component) in components.enumerated() {
            let isLast = index == components.count - 1
            if !component.contains(where: { "*?[\\".contains($0) }) {
                found = found.map { "\($0)/\(component)" }.filter { !isLast || machine.exists($0) }
                continue
            }
            found = try found.flatMap { directory in
                try machine.names(in: directory.isEmpty ? "/" : directory)
                    .filter { fnmatch(component, $0, FNM_PERIOD) == 0 }.map { "\(directory)/\($0)" }
            }
        }
        return found
    }
}
