import Glibc
import PDDocument
import PDFiles

/// What the agent hands to a plugin, for plugins written in Swift and for `pd-plugin`.
///
///     import PDPluginKit
///
///     let plugin = PluginEnvironment.current
///     let level = plugin.setting("level")?.string ?? "1"
///     print(["status": "on", "level": .string(level)] as Document)
public struct PluginEnvironment: Sendable {
    /// The plugin's name; nothing where no agent started this program.
    public let name: String?
    /// The directory in which the plugin may keep what it wants; nothing where there is none.
    public let directory: String?
    /// The settings of the agent, with the plugin's own under `plugin`.
    public let settings: Document
    /// Whether this run is only to be looked at, and nothing is to be kept.
    public let isReadOnly: Bool

    /// What a program's environment says.
    public init(_ variables: [String: String]) {
        name = variables["PENGUINDOME_PLUGIN"]
        directory = variables["PENGUINDOME_VAR_DIR"]
        isReadOnly = variables["PENGUINDOME_READ_ONLY"] != nil
        // Without an agent there are no settings, and what is no JSON sets nothing.
        settings = (variables["PENGUINDOME_SETTINGS"]).flatMap { try? Document(json: Array($0.utf8)) } ?? [:]
    }

    /// That of this program.
    public static var current: PluginEnvironment {
        var variables: [String: String] = [:]
        for name in ["PLUGIN", "VAR_DIR", "READ_ONLY", "SETTINGS"].map({ "PENGUINDOME_\($0)" }) {
            if let value = getenv(name) { variables[name] = String(cString: value) }
        }
        return PluginEnvironment(variables)
    }

    /// A setting by its names joined by colons, such as `logging:level`: the plugin's own before the agent's.
    public func setting(_ path: String) -> Value? {
        let names = path.split(separator: ":").map(String.init)
        return value(["plugin"] + names) ?? (names.first == "plugin" ? nil : value(names))
    }

    private func value(_ names: [String]) -> Value? {
        var found: Value = .document(settings)
        for name in names {
            guard let next = found.document?[name] else { return nil }
            found = next
        }
        return found == .null ? nil : found
    }

    /// What was kept under a key.
    ///
    /// - Returns: nothing where nothing was, or the key cannot be one.
    public func cached(_ key: String) -> Value? {
        guard let file = file(key), let bytes = try? Files.read(file, links: .refuse) else { return nil }
        return try? Document(
            json: Array("{\"value\":".utf8) + bytes + Array("}".utf8), timestamps: .atSuffix)["value"]
    }

    /// Keeps a value under a key, in the same place as the Python package does.
    ///
    /// - Throws: ``PluginError/key(_:)``, ``PluginError/noDirectory``, or ``FileError``.
    public func cache(_ value: Value, as key: String) throws {
        guard directory != nil else { throw PluginError.noDirectory }
        guard let file = file(key), let directory else { throw PluginError.key(key) }
        guard !isReadOnly else { return }
        try Files.makePrivateDirectory("\(directory)/cache")
        try Files.writeAtomically(Array(value.json().utf8), to: file)
    }

    private func file(_ key: String) -> String? {
        guard let directory, !key.isEmpty, key != ".", key != "..", !key.contains("/") else { return nil }
        return "\(directory)/cache/\(key).json"
    }

    /// Writes a line to standard error, which is reported where the plugin fails, and to the system's log.
    ///
    /// - Parameter level: of syslog(3): 3 is an error, 4 a warning, 6 information.
    public func log(_ message: String, level: Int32 = LOG_INFO) {
        let line = message.filter { !$0.isNewline }
        let text = "\(name ?? "plugin"): \(line)"
        // Where standard error is closed there is still the system's log.
        try? Files.writeAll(Array((text + "\n").utf8), to: STDERR_FILENO, path: "standard error")
        text.withCString { text in
            withVaList([text]) { vsyslog(LOG_DAEMON | level, "penguindome %s", $0) }
        }
    }
}

/// What a plugin asked for and cannot have.
public enum PluginError: Error, Equatable, CustomStringConvertible {
    /// No file can have that name.
    case key(String)
    /// No agent started this program, so there is no directory to keep anything in.
    case noDirectory

    /// One line for people.
    public var description: String {
        switch self {
        case .key(let key): "\(key) cannot be a key: it names a file"
        case .noDirectory: "PENGUINDOME_VAR_DIR is not set: there is no directory to keep anything in"
        }
    }
}
