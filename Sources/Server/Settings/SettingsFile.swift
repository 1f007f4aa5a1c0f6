import Foundation
import PDSettings
import Yams

/// The settings file of a server, changed by tools: what they write is checked as the server would check it, and put in
/// place at once or not at all.
public struct SettingsFile {
    private let file: URL
    private var editor: SettingsEditor

    /// Reads the file.
    public init(_ file: URL) throws {
        self.file = file
        editor = SettingsEditor(
            yaml: String(decoding: try PrivateFiles.read(file), as: UTF8.self), file: file.path)
    }

    /// The settings as they would be.
    public func settings() throws(SettingsError) -> ServerSettings {
        try ServerSettings(yaml: editor.yaml, file: file.path)
    }

    /// Puts what was changed in place.
    ///
    /// - Throws: `SettingsError` where the server would not take it; then the file is as it was.
    public func save() throws {
        _ = try settings()
        try PrivateFiles.replaceFollowingLinks(Array(editor.yaml.utf8), at: file)
    }

    // MARK: - Passwords

    /// Where passwords stand: those of the server, or those of one endpoint.
    public enum PasswordPlace: Sendable, Equatable {
        /// `users`.
        case server
        /// `server_auth:ENDPOINT:passwords`.
        case endpoint(String)

        var path: [String] {
            switch self {
            case .server: ["users"]
            case .endpoint(let name): ["server_auth", name, "passwords"]
            }
        }
    }

    /// The users that have a password in a place.
    public func users(in place: PasswordPlace) throws -> [String] {
        try editor.value(place.path)?.mapping?.compactMap { $0.key.scalar?.string } ?? []
    }

    /// Sets a user's password hash.
    public mutating func setPassword(_ hash: String, of user: String, in place: PasswordPlace) throws {
        try editor.set(place.path + [user], to: Node(hash))
    }

    /// Takes a user's password away.
    public mutating func removePassword(of user: String, in place: PasswordPlace) throws {
        try editor.remove(place.path + [user])
    }

    // MARK: - Ports

    /// Writes one port as it is to be, in version 1's form: a mapping of numbers to what holds for each.
    public mutating func set(_ port: PortSettings) throws {
        try makePortsMapping()
        try editor.set(["port", "\(port.number)"], to: Self.node(port))
    }

    /// Takes a port away.
    public mutating func remove(port number: Int) throws {
        try makePortsMapping()
        try editor.remove(["port", "\(number)"])
    }

    /// A number or a list has no room for what holds for one port.
    private mutating func makePortsMapping() throws {
        let current = try editor.value(["port"])
        guard current?.mapping == nil else { return }
        // Without any setting there is a default port; a mapping takes its place, so it has to be named.
        let ports = try settings().ports
        try editor.set(["port"], to: Node(ports.map { (Self.name($0), Self.node($0)) }))
    }

    private static func name(_ port: PortSettings) -> Node {
        Node("\(port.number)", Tag(.implicit))
    }

    /// Everything is said, so that nothing depends on an `ssl` beside the ports.
    private static func node(_ port: PortSettings) -> Node {
        func pair(_ name: String, _ value: Node) -> (Node, Node) { (Node(name), value) }
        func flag(_ value: Bool) -> Node { Node(value ? "true" : "false", Tag(.implicit)) }
        var ssl = [pair("enabled", flag(port.tls != nil))]
        if let tls = port.tls {
            ssl += [pair("certificate", Node(tls.certificate)), pair("key", Node(tls.key))]
        }
        return Node([pair("deprecated", flag(port.isDeprecated)), pair("ssl", Node(ssl))])
    }
}
