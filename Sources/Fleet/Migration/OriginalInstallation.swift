import Foundation
import PDCrypto
import PDFiles
import PDProtocol
import PDSettings

/// An installation of the original PenguinDome, as it lies on its server's disk, and what a new server takes over of it.
/// It is read only: the original can be started again at any time.
///
/// ```
/// server/settings.yml          its settings
/// server/keyring               a GnuPG home: the server's key, the public halves of the clients' and the keepers' key
/// client/settings.yml          its agents' settings
/// client/keyring               a GnuPG home: the clients' key
/// var/client_releases/N.tar    releases, N.tar.asc in a signed message
/// ```
package struct OriginalInstallation {
    /// The newest release.
    struct Release {
        let number: Int
        /// The paths of its files.
        let paths: [String]
        let message: [UInt8]
    }

    private let directory: URL
    private let serverKey: OpenPGP.SecretKey
    private let clientKey: OpenPGP.SecretKey?
    private let clientKeys: [OpenPGP.Certificate]
    private let keepersKey: OpenPGP.Certificate?
    private var settings: SettingsEditor
    private var agentSettings: SettingsEditor?
    private let release: Release?
    /// Files that settings name, by their path below the state directory.
    private var files: [(path: String, content: [UInt8], mode: mode_t)] = []
    /// What is not taken over, and what is otherwise than before; lines for people.
    package private(set) var notes: [String] = []

    /// Reads an installation.
    ///
    /// - Throws: ``StateError``, `SettingsError`, that name the file that is not there or cannot be used.
    package init(_ directory: URL) throws {
        self.directory = directory
        let settingsFile = directory.appending(path: "server/settings.yml")
        guard Files.exists(settingsFile.path) else {
            throw StateError(
                "\(directory.path) is no server of the original: there is no \(settingsFile.path)")
        }
        settings = SettingsEditor(
            yaml: String(decoding: try PrivateFiles.read(settingsFile), as: UTF8.self),
            file: settingsFile.path)
        let server = try GPGKeyring(directory.appending(path: "server/keyring"))
        let clientHome = directory.appending(path: "client/keyring")
        let client = Files.exists(clientHome.path) ? try GPGKeyring(clientHome) : nil
        let sealing = try Self.keepersKey(server.certificates, settings)
        keepersKey = sealing
        (serverKey, clientKey) = try Self.ownKeys(server, client, sealing, directory)
        let own = serverKey.certificate.fingerprint
        let found = server.certificates + (clientKey.map { [$0.certificate] } ?? [])
        clientKeys = found.indices.filter { index in
            let key = found[index]
            return key.fingerprint != own && key.fingerprint != sealing?.fingerprint
                && KeyRole.whyNoClientKey(key) == nil
                && !found[..<index].contains { $0.fingerprint == key.fingerprint }
        }.map { found[$0] }
        release = try Self.newestRelease(directory.appending(path: "var/client_releases"))
        for key in server.certificates where key.fingerprint != own {
            guard !clientKeys.contains(where: { $0.fingerprint == key.fingerprint }) else { continue }
            let why = KeyRole.whyNoClientKey(key) ?? "it is the keepers'"
            notes.append("\(key.fingerprint) may not sign reports: \(why)")
        }
        if clientKey == nil {
            notes.append(
                "the clients' secret key is not in \(clientHome.path): new agents get another one")
        }
        try convertServerSettings()
        try convertAgentSettings()
    }

    // MARK: - Reading

    /// The key that private values are encrypted to: the one that the settings name.
    private static func keepersKey(
        _ keys: [OpenPGP.Certificate], _ settings: SettingsEditor
    ) throws -> OpenPGP.Certificate? {
        func text(_ name: String) throws -> String? {
            try settings.value(["secret_keeping", name])?.text?.uppercased()
        }
        let (fingerprint, id) = (try text("key_fingerprint"), try text("key_id"))
        return keys.first { key in
            let own = "\(key.fingerprint)"
            return own == fingerprint?.filter { $0 != " " }
                || id.map { own.hasSuffix($0.trimmingPrefix("0X")) } ?? false
        } ?? keys.first { $0.userIDs.contains { $0.hasPrefix(KeyRole.keepersName) } }
    }

    private static func ownKeys(
        _ server: GPGKeyring, _ client: GPGKeyring?, _ keepers: OpenPGP.Certificate?, _ directory: URL
    ) throws -> (server: OpenPGP.SecretKey, client: OpenPGP.SecretKey?) {
        func choose(_ keys: [OpenPGP.SecretKey], _ name: String) throws -> OpenPGP.SecretKey? {
            let keys = keys.filter { $0.certificate.fingerprint != keepers?.fingerprint }
            let named = keys.filter { $0.certificate.userIDs.contains { $0.contains(name) } }
            guard (named.isEmpty ? keys : named).count < 2 else {
                throw StateError(
                    "\(directory.path) has more than one secret key for its \(name): leave one in the keyring"
                )
            }
            return named.first ?? keys.first
        }
        guard let own = try choose(server.secretKeys, "server") else {
            throw StateError("\(directory.path)/server/keyring has no secret key of the server")
        }
        return (own, try client.flatMap { try choose($0.secretKeys, "client") })
    }

    private static func newestRelease(_ folder: URL) throws -> Release? {
        guard Files.exists(folder.path) else { return nil }
        let numbers = try Files.names(in: folder.path).compactMap { name -> Int? in
            guard name.hasSuffix(".tar.asc"), let number = Int(name.dropLast(8)), number > 0 else {
                return nil
            }
            return number
        }
        guard let number = numbers.max() else { return nil }
        let archive = folder.appending(path: "\(number).tar")
        // GNU tar made it, in a form of its own.
        let listed: [UInt8]
        do throws(StateError) {
            listed = try ProgramOutput.read("/usr/bin/tar", ["--list", "--file", archive.path])
        } catch { throw StateError("\(archive.path) is no archive of a release: \(error)") }
        let paths = String(decoding: listed, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { !$0.hasSuffix("/") && !$0.hasPrefix("signatures/") }
        return Release(
            number: number, paths: paths,
            message: try PrivateFiles.read(
                folder.appending(path: "\(number).tar.asc"), limit: ReleaseShelf.maximumMessageBytes))
    }

    // MARK: - Settings

    /// Names stay; what had no meaning beyond the original goes, and files that are named come along.
    private mutating func convertServerSettings() throws {
        for name in ["threaded", "support_arch_linux"] where try settings.value([name]) != nil {
            try settings.remove([name])
            notes.append("\(name) has no meaning here, and is left out")
        }
        let host = try settings.value(["database", "host"])
        if host == nil || host?.isNull == true || host?.text == "" {
            // What the original takes where nothing is set.
            try settings.set(["database", "host"], to: .text("localhost:27017"))
        }
        try convertLogging()
        try takeCertificate([])
        for entry in try settings.value(["port"])?.entries ?? [] {
            if try settings.value(["port", entry.name, "threaded"]) != nil {
                try settings.remove(["port", entry.name, "threaded"])
            }
            try takeCertificate(["port", entry.name])
        }
        _ = try ServerSettings(yaml: settings.yaml, file: settings.file)
    }

    private mutating func convertLogging() throws {
        if let handler = try settings.value(["logging", "handler"])?.text,
            !["stderr", "syslog"].contains(handler.lowercased())
        {
            try settings.remove(["logging", "handler"])
            notes.append("logging:handler \(handler) is not known here: the log goes to standard error")
        }
        if try settings.value(["logging", "syslog", "port"])?.text == "syslog" {
            try settings.set(["logging", "syslog", "port"], to: .number(514))
        }
    }

    /// Takes the certificate and key of an `ssl` mapping along: the server's user could not read them elsewhere.
    private mutating func takeCertificate(_ owner: [String]) throws {
        var isNamed = false
        for (name, ending, mode) in [("certificate", "crt", mode_t(0o644)), ("key", "key", 0o600)] {
            guard let path = try settings.value(owner + ["ssl", name])?.text, !path.isEmpty else { continue }
            let target = "tls/\(owner.last ?? "original").\(ending)"
            files.append((target, try PrivateFiles.read(URL(filePath: path, relativeTo: directory)), mode))
            try settings.set(owner + ["ssl", name], to: .text(target))
            isNamed = true
        }
        // There, a certificate that is named is used.
        if isNamed, try settings.value(owner + ["ssl", "enabled"]) == nil {
            try settings.set(owner + ["ssl", "enabled"], to: .flag(true))
        }
    }

    private mutating func convertAgentSettings() throws {
        let file = directory.appending(path: "client/settings.yml")
        guard Files.exists(file.path) else {
            notes.append("there is no \(file.path): say in agent-kit/agent.yml where agents reach the server")
            return
        }
        var editor = SettingsEditor(
            yaml: String(decoding: try PrivateFiles.read(file), as: UTF8.self), file: file.path)
        guard try editor.value(["server_url"])?.text?.isEmpty == false else {
            notes.append("\(file.path) names no server_url: agent-kit/agent.yml is made anew")
            return
        }
        if try editor.value(["logging"]) != nil {
            try editor.remove(["logging"])
            notes.append("agents log to standard error: logging of \(file.path) is left out")
        }
        if let path = try editor.value(["ssl", "ca_path"])?.text, !path.isEmpty {
            files.append(
                (
                    "agent-kit/server.crt", try PrivateFiles.read(URL(filePath: path, relativeTo: directory)),
                    0o644
                ))
            try editor.set(["ssl", "ca_path"], to: .text("server.crt"))
        }
        agentSettings = editor
    }

    // MARK: - Taking over

    /// Puts everything in place that a server is made of; ``ServerSetup`` makes what is missing after that. A run that was
    /// cut off is done again.
    ///
    /// - Returns: what was taken over, in order.
    /// - Throws: ``StateError`` where there is a server already.
    package func takeOver(into state: ServerState) throws -> [ServerSetup.Step] {
        guard !Files.exists(state.settingsFile.path) else {
            throw StateError(
                "there is a server in \(state.directory.path): name an empty directory with --state")
        }
        try PrivateFiles.makeDirectory(state.directory)
        let lock = try PrivateFiles.lock(state)
        return try withExtendedLifetime(lock) { () throws -> [ServerSetup.Step] in
            if Files.exists(state.serverSecretKey.path) {
                let found = try OpenPGP.SecretKey(PrivateFiles.readSecret(state.serverSecretKey)).certificate
                guard found.fingerprint == serverKey.certificate.fingerprint else {
                    throw StateError(
                        "\(state.directory.path) has the key of another server: name an empty directory with --state"
                    )
                }
            }
            let steps = try takeKeys(state) + takeFiles(state)
            try takeSettings(state)
            return steps
        }
    }

    private func takeKeys(_ state: ServerState) throws -> [ServerSetup.Step] {
        try PrivateFiles.makeDirectory(state.keys)
        try PrivateFiles.makeDirectory(state.agentKit)
        var steps: [ServerSetup.Step] = []
        try PrivateFiles.write(serverKey.armored(), to: state.serverSecretKey)
        steps.append(.init(what: "server key \(serverKey.certificate.fingerprint)", wasThere: true))
        for key in clientKeys {
            try RoleKeys.add(key, to: state.clientKeys)
            steps.append(
                .init(what: "client key \(key.fingerprint), which may sign reports", wasThere: true))
        }
        if let clientKey { try PrivateFiles.write(clientKey.armored(), to: state.clientSecretKey) }
        if let keepersKey {
            try PrivateFiles.write(Array(keepersKey.armored().utf8), to: state.keepersKey)
            steps.append(
                .init(what: "public key of the secret-keepers \(keepersKey.fingerprint)", wasThere: true))
        }
        return steps
    }

    private func takeFiles(_ state: ServerState) throws -> [ServerSetup.Step] {
        var steps: [ServerSetup.Step] = []
        for file in files {
            let target = state.directory.appending(path: file.path)
            try PrivateFiles.makeDirectory(target.deletingLastPathComponent())
            try PrivateFiles.write(file.content, to: target, mode: file.mode)
            steps.append(.init(what: target.path, wasThere: true))
        }
        if let release {
            try PrivateFiles.makeDirectory(state.releases)
            let file = { (ending: String) in state.releases.appending(path: "\(release.number)\(ending)") }
            try PrivateFiles.write(
                Array((release.paths.joined(separator: "\n") + "\n").utf8), to: file(V1.releasePathsSuffix))
            try PrivateFiles.write(release.message, to: file(".tar.asc"))
            steps.append(.init(what: "release \(release.number), for agents of version 1", wasThere: true))
        }
        return steps
    }

    /// The settings of the server come last: with them, there is a server.
    private func takeSettings(_ state: ServerState) throws {
        if let agentSettings {
            try PrivateFiles.write(
                Array(agentSettings.yaml.utf8), to: state.agentKit.appending(path: "agent.yml"))
        }
        try PrivateFiles.write(Array(settings.yaml.utf8), to: state.settingsFile)
    }
}
