import Foundation
import PDSettings

/// The settings file of a server, changed by tools: what they write is checked as the server would check it, and put in
/// place at once or not at all.
package struct SettingsFile {
    private let file: URL
    private var editor: SettingsEditor

    /// Reads the file.
    package init(_ file: URL) throws {
        self.file = file
        editor = SettingsEditor(
            yaml: String(decoding: try PrivateFiles.read(file), as: UTF8.self), file: file.path)
    }

    /// The settings as they would be.
    package func settings() throws(SettingsError) -> ServerSettings {
        try ServerSettings(yaml: editor.yaml, file: file.path)
    }

    /// Puts what was changed in place.
    ///
    /// - Throws: `SettingsError` where the server would not take it; then the file is as it was.
    package func save() throws {
        _ = try settings()
        try PrivateFiles.replaceFollowingLinks(Array(editor.yaml.utf8), at: file)
    }

    /// Has the database be a file of the state directory, whatever stands there of another one.
    package mutating func keepDatabaseInState() throws {
        guard try editor.value(["database"]) != nil else { return }
        try editor.set(["database", "file"], to: .text("fleet.sqlite"))
    }

    // MARK: - Passwords

    /// Where passwords stand: those of the server, or those of one endpoint.
    package enum PasswordPlace: Sendable, Equatable {
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
    package func users(in place: PasswordPlace) throws -> [String] {
        try editor.value(place.path)?.entries?.map(\.name) ?? []
    }

    /// Sets a user's password hash.
    package mutating func setPassword(_ hash: String, of user: String, in place: PasswordPlace) throws {
        try editor.set(place.path + [user], to: .text(hash))
    }

    /// Takes a user's password away.
    package mutating func removePassword(of user: String, in place: PasswordPlace) throws {
        try editor.remove(place.path + [user])
    }

    // MARK: - Groups

    /// The groups with their users.
    package func groups() throws -> [(name: String, users: [String])] {
        try editor.value(["groups"])?.entries?.map { entry in
            (entry.name, entry.value.text.map { [$0] } ?? entry.value.elements?.compactMap(\.text) ?? [])
        } ?? []
    }

    /// Makes a group of these users, each of whom must have a password of the server.
    package mutating func setGroup(_ name: String, to users: [String]) throws {
        try editor.set(["groups", name], to: SettingsNode(.sequence(users.map { .text($0) })))
    }

    /// Takes a group away.
    package mutating func removeGroup(_ name: String) throws { try editor.remove(["groups", name]) }

    // MARK: - Ports

    /// Adds a port, in version 1's form: a mapping of numbers to what holds for each.
    ///
    /// - Parameter tls: what it proves itself with; where nothing is said, that is for the `ssl` beside the ports to say.
    package mutating func add(port number: Int, isDeprecated: Bool, tls: PortSettings.TLS?) throws {
        try makePortsMapping()
        var properties = [("deprecated", SettingsNode.flag(isDeprecated))]
        if let tls { properties.append(("ssl", Self.ssl(tls))) }
        try editor.set(["port", "\(number)"], to: .mapping(properties))
    }

    /// Sets whether hosts should use another port than this one.
    package mutating func set(isDeprecated: Bool, ofPort number: Int) throws {
        try makePortsMapping()
        try editor.set(["port", "\(number)", "deprecated"], to: .flag(isDeprecated))
    }

    /// Sets what a port proves itself with; nothing for plain HTTP, whatever the `ssl` beside the ports says.
    package mutating func set(tls: PortSettings.TLS?, ofPort number: Int) throws {
        try makePortsMapping()
        try editor.set(["port", "\(number)", "ssl"], to: Self.ssl(tls))
    }

    /// Has a port prove itself with what the settings name for it already, or for all ports.
    package mutating func enableTLS(ofPort number: Int) throws {
        try makePortsMapping()
        try editor.set(["port", "\(number)", "ssl", "enabled"], to: .flag(true))
    }

    /// Takes a port away.
    package mutating func remove(port number: Int) throws {
        try makePortsMapping()
        try editor.remove(["port", "\(number)"])
    }

    /// A number or a list has no room for what holds for one port.
    private mutating func makePortsMapping() throws {
        let current = try editor.value(["port"])
        guard current?.entries == nil else { return }
        // Without any setting there is a default port; a mapping takes its place, so it has to be named.
        let ports = try settings().ports
        try editor.set(["port"], to: .mapping(ports.map { ("\($0.number)", Self.node($0)) }))
    }

    /// What a port has that was one of a list; the `ssl` beside the ports goes on holding for it.
    private static func node(_ port: PortSettings) -> SettingsNode {
        .mapping([("deprecated", .flag(port.isDeprecated))])
    }

    private static func ssl(_ tls: PortSettings.TLS?) -> SettingsNode {
        guard let tls else { return .mapping([("enabled", .flag(false))]) }
        return .mapping([
            ("enabled", .flag(true)), ("certificate", .text(tls.certificate)), ("key", .text(tls.key)),
        ])
    }
}
