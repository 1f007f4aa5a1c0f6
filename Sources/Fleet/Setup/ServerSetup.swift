import Foundation
import PDCrypto
import PDProtocol

/// Makes a server out of an empty directory: keys, settings, checks, and the kit that agents join with.
///
/// What is there already is kept, so that running it again repairs and never destroys.
package struct ServerSetup {
    /// What only the user can know.
    package struct Answers: Sendable {
        /// The TCP port to listen on.
        package var port: Int
        /// The URL at which agents reach the server; nothing for this machine alone.
        package var url: String?
        /// Whether the server itself serves plain HTTP although the URL promises TLS, since a proxy in front of it sees to
        /// that.
        package var isBehindProxy = false
        /// The certificate and key to prove itself with, PEM, where TLS is asked for; else one is made.
        package var certificate: (certificate: URL, key: URL)?

        /// Answers from flags or from a person.
        package init(port: Int, url: String?) {
            self.port = port
            self.url = url
        }

        /// Where agents look for the server, if TLS is for the server itself to do.
        fileprivate var secured: AgentKit.Address? {
            guard !isBehindProxy, let address = url.flatMap({ AgentKit.Address($0) }), address.isTLS else {
                return nil
            }
            return address
        }
    }

    /// One thing that was done or found done.
    package struct Step: Sendable {
        /// What it is.
        package let what: String
        /// Whether it was there before.
        package let wasThere: Bool
    }

    private let state: ServerState
    private let answers: Answers
    private let now: OpenPGP.Timestamp

    /// - Parameters:
    ///   - state: where the server will live.
    ///   - answers: what the user chose.
    ///   - now: the creation time of keys.
    package init(state: ServerState, answers: Answers, now: OpenPGP.Timestamp) {
        self.state = state
        self.answers = answers
        self.now = now
    }

    /// Does what is missing.
    ///
    /// - Returns: what was done, in order.
    /// - Throws: ``StateError`` that names the file that could not be written, or the error of making a key.
    package func run() throws -> [Step] {
        try PrivateFiles.makeDirectory(state.directory)
        // Two at once would each make keys, and one would lose the secret halves of its own.
        let lock = try PrivateFiles.lock(state)
        return try withExtendedLifetime(lock) {
            try state.finishRestoration()
            try removeRemains()
            try PrivateFiles.makeDirectory(state.keys)
            let knewClients = FileManager.default.fileExists(atPath: state.clientKeys.path)
            try PrivateFiles.makeDirectory(state.clientKeys)
            return [
                try settings(), try checks(), try serverKey(), try agentKit(knewClients: knewClients),
            ]
        }
    }

    /// What an interrupted run was writing, secret keys among it.
    private func removeRemains() throws {
        for directory in [state.directory, state.keys, state.clientKeys, state.agentKit]
        where FileManager.default.fileExists(atPath: directory.path) {
            try PrivateFiles.removeTemporaries(in: directory)
        }
    }

    private func settings() throws -> Step {
        let port: String
        if let secured = answers.secured, !FileManager.default.fileExists(atPath: state.settingsFile.path) {
            port = try portWithTLS(for: secured.host)
        } else {
            port = "port: \(answers.port)"
        }
        return try keepOrWrite("settings", state.settingsFile) {
            """
            # The settings of this PenguinDome server. `pd-server serve` reads them when it starts.

            # The TCP port on which agents deliver.
            \(port)

            # The address to listen on. "::" is all of them, IPv4 and IPv6.
            address: "\(listeningAddress)"

            logging:
              # trace, debug, info, notice, warning, error or critical
              level: info

            """
        }
    }

    /// The port as the settings name it, with a certificate for that host, which is made unless one is given.
    private func portWithTLS(for host: String) throws -> String {
        let files: (certificate: URL, key: URL)
        if let given = answers.certificate {
            let certificate = try CertificateFile(given.certificate)
            try certificate.check(key: given.key)
            guard certificate.names(host) else {
                throw StateError(
                    "\(given.certificate.path) is not for \(host), where agents reach the server")
            }
            files = given
        } else {
            files = state.madeCertificate(port: answers.port)
            try SelfSignedCertificate(host: host, days: SelfSignedCertificate.maximumDays)
                .write(certificate: files.certificate, key: files.key)
        }
        func text(_ file: URL) -> String { "'\(state.settingsPath(of: file).replacing("'", with: "''"))'" }
        return """
            port:
              \(answers.port):
                ssl:
                  enabled: true
                  certificate: \(text(files.certificate))
                  key: \(text(files.key))
            """
    }

    private func checks() throws -> Step {
        try keepOrWrite("checks for the audit", state.checksFile) { CheckFile.shipped }
    }

    private func serverKey() throws -> Step {
        if FileManager.default.fileExists(atPath: state.serverSecretKey.path) {
            let key = try OpenPGP.SecretKey(PrivateFiles.readSecret(state.serverSecretKey))
            try PrivateFiles.write(Array(key.certificate.armored().utf8), to: state.serverPublicKey)
            return Step(what: "server key \(key.certificate.fingerprint)", wasThere: true)
        }
        if FileManager.default.fileExists(atPath: state.serverPublicKey.path) {
            // It is kept on another machine: agents know the public half, and go on knowing this one.
            let known = try OpenPGP.Certificate(PrivateFiles.read(state.serverPublicKey))
            return Step(what: "server key \(known.fingerprint), its secret half elsewhere", wasThere: true)
        }
        let key = try OpenPGP.SecretKey.generate(userID: "penguindome-server", at: now, validity: nil)
        // In this order: the public half alone means that the other one is elsewhere.
        try PrivateFiles.write(key.armored(), to: state.serverSecretKey)
        try PrivateFiles.write(Array(key.certificate.armored().utf8), to: state.serverPublicKey)
        return Step(what: "server key \(key.certificate.fingerprint)", wasThere: false)
    }

    /// The client key's secret half lives in the kit alone: the server never needs it. A key that was there before is
    /// trusted only where nothing is known about clients: one that an administrator has removed stays removed.
    private func agentKit(knewClients: Bool) throws -> Step {
        let kit = state.agentKit
        try PrivateFiles.makeDirectory(kit)
        let secret = kit.appending(path: "client.key.asc")
        let wasThere = FileManager.default.fileExists(atPath: secret.path)
        let key: OpenPGP.SecretKey
        if wasThere {
            key = try OpenPGP.SecretKey(PrivateFiles.readSecret(secret))
        } else {
            key = try OpenPGP.SecretKey.generate(userID: "penguindome-client", at: now, validity: nil)
        }
        // First the trust, then the kit: a key that is in the kit is one that was trusted, whenever this run ends.
        if !wasThere || !knewClients { try RoleKeys.add(key.certificate, to: state.clientKeys) }
        if !wasThere { try PrivateFiles.write(key.armored(), to: secret) }
        try PrivateFiles.write(
            try PrivateFiles.read(state.serverPublicKey), to: kit.appending(path: "server.pub.asc"))
        let checks = try CheckFile.read(state.checksFile)
        try PrivateFiles.write(
            Array(checks.published.json.utf8), to: kit.appending(path: PublishedChecks.fileName))
        let url = try answers.url ?? ownURL()
        let agentSettings = try keepOrWrite("agent settings", kit.appending(path: "agent.yml")) {
            """
            # The settings of a PenguinDome agent. `pd-agent join` copies them.

            # Where the server is reached.
            server_url: \(url)

            """
        }
        if !agentSettings.wasThere, let port = try ownSettings().mainPort { try AgentKit(state).trust(port) }
        let fingerprint = key.certificate.fingerprint
        let isTrusted = try !RoleKeys.copies(of: fingerprint, in: state.clientKeys).isEmpty
        return Step(
            what: "agent kit \(kit.path), client key \(fingerprint)"
                + (isTrusted ? "" : ", which is not trusted: reports by it will be refused"),
            wasThere: wasThere)
    }

    private func ownSettings() throws -> ServerSettings {
        let text = String(decoding: try PrivateFiles.read(state.settingsFile), as: UTF8.self)
        return try ServerSettings(yaml: text, file: state.settingsFile.path)
    }

    /// How this machine reaches the server: by the settings that it has, whatever the answers of today say.
    private func ownURL() throws -> String {
        let port = try ownSettings().mainPort
        return "\(port?.tls == nil ? "http" : "https")://127.0.0.1:\(port?.number ?? answers.port)"
    }

    /// Without a URL for others the server serves this machine alone.
    private var listeningAddress: String {
        guard answers.url != nil else { return "127.0.0.1" }
        return FileManager.default.fileExists(atPath: "/proc/net/if_inet6") ? "::" : "0.0.0.0"
    }

    private func keepOrWrite(_ what: String, _ file: URL, _ text: () -> String) throws -> Step {
        let wasThere = FileManager.default.fileExists(atPath: file.path)
        if !wasThere { try PrivateFiles.write(Array(text().utf8), to: file) }
        return Step(what: "\(what) \(file.path)", wasThere: wasThere)
    }
}
