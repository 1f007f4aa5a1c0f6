import Glibc
import Logging
import PDCrypto
import PDFiles
import PDProtocol
import PDSecrets
import PDSettings

/// A machine's place in a fleet.
public enum Membership {
    /// What ``join(kit:state:force:log:)`` did.
    public enum Result: Sendable, Equatable {
        /// The machine is a new member.
        case joined
        /// It was one already, and nothing changed.
        case unchanged
        /// It was one already; its settings are now the kit's, and the old ones lie beside them in `agent.yml.old`.
        case settingsReplaced
    }

    /// Makes this machine a member of a fleet.
    ///
    /// Everything in the kit is checked before anything is written. Joining the same fleet again is fine; another
    /// fleet's membership, and the reports that wait for its server, are given up with `force` only.
    ///
    /// - Parameters:
    ///   - kit: a folder with `agent.yml`, `client.key.asc`, `server.pub.asc`, and `server.crt` where the server's
    ///     certificate vouches for itself.
    ///   - state: where to keep them.
    ///   - hostname: what the machine is to call itself, where its own name will not do.
    ///   - force: whether to leave another fleet.
    /// - Returns: what was done, and the settings.
    public static func join(
        kit: String, state: StateDirectory, hostname: String? = nil, force: Bool = false, log: Logger
    ) throws(AgentError) -> (Result, AgentSettings) {
        let present: [String]
        do throws(FileError) {
            present = Files.exists(state.path) ? try Files.names(in: state.path) : []
        } catch { throw .file(error) }
        // The directory will be closed to others, which would be bad news for everybody else's files in it.
        guard present.isEmpty || present.contains("lock") else { throw .notOurs(state.path) }
        do throws(FileError) {
            try Files.makePrivateDirectory(state.path)
        } catch { throw .file(error) }
        let lock = try state.lock()

        var new = try files(in: kit)
        let old = try existing(state)
        // Before anything of this machine is added: mistakes of the kit are told as that.
        _ = try check(new, folder: kit)
        let isMember = old?.serverKey == new.serverKey
        new.settings = try merged(new, isMember ? old : nil, hostname: hostname)
        let settings = try check(new, folder: state.path)
        var result = Result.joined
        if let old {
            if isMember {
                guard
                    old.settings != new.settings || old.authority != new.authority
                        || old.clientKey != new.clientKey
                else {
                    do throws(FileError) {
                        try write(checks: new.checks ?? old.checks, state)
                    } catch { throw .file(error) }
                    return (.unchanged, settings)
                }
                if old.clientKey != new.clientKey { try keepFormer(old.clientKey, in: state) }
                result = .settingsReplaced
            } else {
                guard force else { throw .otherFleet(state.path) }
                log.notice("left the other fleet; what waited for its server is dropped")
            }
        }
        do throws(FileError) {
            if result == .settingsReplaced {
                try Files.rename(state.settings, to: state.settings + ".old")
            } else {
                // What waits is signed with another fleet's key, and meant for its server alone.
                try Spool(directory: state.spool, lock: lock, log: log).clear()
                try Files.remove(state.history)
                // What this machine is called by there is nobody's business here.
                for file in [state.machineKey, state.keyHistory, state.formerClientKeys] {
                    try Files.remove(file)
                }
            }
            try Files.writeAtomically(new.serverKey, to: state.serverKey)
            try Files.writeAtomically(new.clientKey, to: state.clientKey)
            try copyKeys(from: "\(kit)/keys", to: state.keys)
            if let authority = new.authority {
                try Files.writeAtomically(authority, to: state.authority)
            } else {
                try Files.remove(state.authority)
            }
            try write(checks: new.checks, state)
            // Last: a membership is there when its settings are.
            try Files.writeAtomically(new.settings, to: state.settings)
        } catch { throw .file(error) }
        return (result, settings)
    }

    /// Keeps the public half of the client key that the fleet had, by which reports that wait are known as ours.
    private static func keepFormer(_ key: SecretBytes, in state: StateDirectory) throws(AgentError) {
        // One that cannot sign has signed nothing that waits.
        guard let signer = try? OpenPGPSigner(key) else { return }
        do throws(FileError) {
            try state.addFormerClientKey(signer.armoredPublicKey)
        } catch { throw .file(error) }
    }

    /// What a machine's owner may have set for this machine alone. A kit that says nothing about it leaves it as it is.
    static let ownNames = [
        "hostname", "proxy", "schedule", "logging", "collectors", "collector_settings", "geolocation_api_key",
    ]

    /// The kit's settings with what this machine has of its own.
    private static func merged(
        _ kit: MembershipFiles, _ old: MembershipFiles?, hostname: String?
    ) throws(AgentError) -> [UInt8] {
        func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }
        do throws(SettingsError) {
            var editor = SettingsEditor(yaml: text(kit.settings), file: "agent.yml")
            let before = editor.yaml
            if let old {
                let own = SettingsEditor(yaml: text(old.settings), file: "agent.yml")
                for name in ownNames where try editor.value([name]) == nil {
                    if let value = try own.value([name]) { try editor.set([name], to: value) }
                }
            }
            if let hostname { try editor.set(["hostname"], to: .text(hostname)) }
            if let old, try isSame(editor, SettingsEditor(yaml: text(old.settings), file: "agent.yml")) {
                return old.settings
            }
            return editor.yaml == before ? kit.settings : Array(editor.yaml.utf8)
        } catch { throw .settings(error) }
    }

    /// Whether two files say the same, in whatever order and form.
    private static func isSame(_ left: SettingsEditor, _ right: SettingsEditor) throws(SettingsError) -> Bool
    {
        let (left, right) = (try left.value([])?.entries ?? [], try right.value([])?.entries ?? [])
        return left.count == right.count
            && left.allSatisfy { entry in right.contains { $0.name == entry.name && $0.value == entry.value }
            }
    }

    private static func write(checks: [UInt8]?, _ state: StateDirectory) throws(FileError) {
        guard let checks else { return try Files.remove(state.checks) }
        try Files.writeAtomically(checks, to: state.checks)
    }

    /// Public keys of those who may sign releases and orders; that they may, the settings say.
    private static func copyKeys(from folder: String, to target: String) throws(FileError) {
        guard Files.exists(folder) else { return }
        try Files.makePrivateDirectory(target)
        for name in try Files.names(in: folder) where name.hasSuffix(".asc") || name.hasSuffix(".gpg") {
            try Files.writeAtomically(
                try Files.read("\(folder)/\(name)", limit: 1 << 20), to: "\(target)/\(name)")
        }
    }

    private static func files(in folder: String) throws(AgentError) -> MembershipFiles {
        do throws(FileError) {
            return try MembershipFiles(folder: folder)
        } catch { throw .file(error) }
    }

    private static func existing(_ state: StateDirectory) throws(AgentError) -> MembershipFiles? {
        do throws(FileError) {
            return try MembershipFiles(folder: state.path)
        } catch  where error.isAbsence {
            return nil
        } catch { throw .file(error) }
    }

    private static func check(_ kit: MembershipFiles, folder: String) throws(AgentError) -> AgentSettings {
        let settings: AgentSettings
        do throws(SettingsError) {
            settings = try AgentSettings(
                yaml: String(decoding: kit.settings, as: UTF8.self), file: "\(folder)/agent.yml")
        } catch { throw .settings(error) }
        do throws(ProtocolError) {
            if let checks = kit.checks { _ = try PublishedChecks(json: checks) }
        } catch { throw .badChecks("\(folder)/\(PublishedChecks.fileName): \(error)") }
        do throws(OpenPGP.Error) {
            _ = try OpenPGPSigner(kit.clientKey)
        } catch { throw .key(file: "\(folder)/client.key.asc", reason: "\(error)") }
        do throws(OpenPGP.Error) {
            _ = try OpenPGP.Certificate(kit.serverKey)
        } catch { throw .key(file: "\(folder)/server.pub.asc", reason: "\(error)") }
        return settings
    }
}
