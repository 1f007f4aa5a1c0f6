import ArgumentParser
import Foundation
import PDDocument
import PDFleet
import PDServerToolSupport
import PDSettings
import PDToolSupport

struct PortsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ports", abstract: "The ports that the server listens on.",
        discussion: """
            A server that runs learns of a port when it is started again; a certificate that is replaced under its \
            name is used at once.
            """,
        subcommands: [List.self, Add.self, Configure.self, Remove.self, Client.self])

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "All ports.")

        @OptionGroup var options: FleetOptions

        func run() throws {
            try options.asOwner {
                let settings = try options.serverSettings()
                var documents = settings.ports.map { document($0) }
                if let number = settings.localPort { documents.append(document(local: number)) }
                options.show(documents) { text(settings) }
            }
        }

        /// One of the ports that hosts use.
        private func document(_ port: PortSettings) -> Document {
            [
                "port": .int(port.number), "tls": .bool(port.tls != nil),
                "deprecated": .bool(port.isDeprecated),
                "certificate": port.tls.map { .string($0.certificate) } ?? .null, "local": .bool(false),
            ]
        }

        /// The port for this machine alone.
        private func document(local number: Int) -> Document {
            [
                "port": .int(number), "tls": .bool(false), "deprecated": .bool(false), "certificate": .null,
                "local": .bool(true),
            ]
        }

        private func text(_ settings: ServerSettings) -> String {
            var table = Table("PORT", "TLS", "DEPRECATED", "CERTIFICATE", "CERTIFICATE ENDS")
            for port in settings.ports {
                table.add(
                    "\(port.number)", port.tls == nil ? "no" : "yes", port.isDeprecated ? "yes" : "no",
                    port.tls?.certificate ?? "-", port.tls.map { options.expiry($0) } ?? "-")
            }
            if let number = settings.localPort {
                table.add("\(number)", "no", "no", "-", "- (this machine only)")
            }
            return table.text
        }
    }

    /// What `add` and `configure` have in common.
    struct Properties: ParsableArguments {
        @Option(help: ArgumentHelp("The certificate chain, PEM.", valueName: "file"))
        var certificate: String?

        @Option(help: ArgumentHelp("The private key, PEM, without a passphrase.", valueName: "file"))
        var key: String?

        @Option(
            help: ArgumentHelp(
                "Make a certificate that vouches for itself, for the host at which agents reach the server.",
                valueName: "host"))
        var selfSigned: String?

        @Option(help: "For how many days that certificate is valid, 825 at most.")
        var days: Int?

        func validate() throws {
            guard (certificate == nil) == (key == nil) else {
                throw ValidationError("--certificate and --key belong together")
            }
            guard selfSigned == nil || certificate == nil else {
                throw ValidationError("--self-signed makes a certificate: --certificate names another one")
            }
            guard days == nil || selfSigned != nil else {
                throw ValidationError("--days needs --self-signed")
            }
        }

        /// What the port is to prove itself with; nothing where the command says nothing about it.
        func proof(port: Int, _ options: FleetOptions) throws -> Proof? {
            if let certificate, let key {
                let files = (certificate: URL(filePath: certificate), key: URL(filePath: key))
                // Both are read, so that a port that cannot be opened is known now.
                try CertificateFile(files.certificate).check(key: files.key)
                return Proof(options.state, files, made: nil)
            }
            guard let host = selfSigned else { return nil }
            let made = try SelfSignedCertificate(
                host: host, days: days ?? SelfSignedCertificate.maximumDays)
            return Proof(options.state, options.state.madeCertificate(port: port), made: made)
        }
    }

    /// What a port is to prove itself with, and the certificate where it is one that was just made.
    struct Proof {
        let tls: PortSettings.TLS
        private let files: (certificate: URL, key: URL)
        private let made: SelfSignedCertificate?
        /// Whether a certificate is replaced that agents may trust.
        let replaces: Bool

        init(_ state: ServerState, _ files: (certificate: URL, key: URL), made: SelfSignedCertificate?) {
            tls = PortSettings.TLS(
                certificate: state.settingsPath(of: files.certificate), key: state.settingsPath(of: files.key)
            )
            self.files = files
            self.made = made
            replaces = made != nil && FileManager.default.fileExists(atPath: files.certificate.path)
        }

        /// Writes what was made, once it is known that the server would take the settings that name it.
        func write(for settings: SettingsFile) throws {
            _ = try settings.settings()
            try made?.write(certificate: files.certificate, key: files.key)
        }
    }

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Listen on one more port.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var properties: Properties

        @Argument(help: "The TCP port.")
        var port: Int

        @Flag(help: "Open an issue for each host that uses it.")
        var deprecated = false

        func run() async throws {
            try checkPort(port)
            try options.changeSettings { settings in
                guard try !settings.settings().ports.contains(where: { $0.number == port }) else {
                    throw ToolFailure(
                        .failed, "port \(port) is there: change it with pd-admin ports configure")
                }
                let proof = try properties.proof(port: port, options)
                try settings.add(port: port, isDeprecated: deprecated, tls: proof?.tls)
                try proof?.write(for: settings)
            }
            print("port \(port) is added; start the server again to use it")
            tellPrivilege(of: port)
        }
    }

    struct Configure: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Change a port; one that the server does not have is added.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var properties: Properties

        @Argument(help: "The TCP port.")
        var port: Int

        @Flag(inversion: .prefixedNo, help: "Open an issue for each host that uses it.")
        var deprecated: Bool?

        @Flag(
            name: [.customLong("tls"), .customLong("ssl")],
            help: "Serve TLS there with the certificate that the settings name already.")
        var tls = false

        @Flag(
            name: [.customLong("no-tls"), .customLong("no-ssl")],
            help: "Serve plain HTTP there from now on.")
        var noTls = false

        func validate() throws {
            guard
                [noTls, tls, properties.certificate != nil || properties.selfSigned != nil].count(
                    where: \.self) < 2
            else {
                throw ValidationError("--tls, --no-tls and a certificate contradict each other")
            }
        }

        func run() async throws {
            try checkPort(port)
            var isNew = false
            var replaces = false
            try options.changeSettings { settings in
                isNew = try !settings.settings().ports.contains { $0.number == port }
                let isChange = noTls || tls || deprecated != nil || properties.certificate != nil
                guard isNew || isChange || properties.selfSigned != nil else {
                    throw ToolFailure(
                        .usage, "there is nothing to change: see pd-admin ports configure --help")
                }
                let proof = try properties.proof(port: port, options)
                if isNew {
                    try settings.add(port: port, isDeprecated: deprecated ?? false, tls: proof?.tls)
                } else if let deprecated {
                    try settings.set(isDeprecated: deprecated, ofPort: port)
                }
                if noTls || proof != nil && !isNew { try settings.set(tls: proof?.tls, ofPort: port) }
                if tls { try settings.enableTLS(ofPort: port) }
                try proof?.write(for: settings)
                replaces = proof?.replaces ?? false
            }
            print("port \(port) is \(isNew ? "added" : "changed"); start the server again to use it")
            if replaces {
                print(
                    "a server that runs uses the new certificate within seconds: agents that trust the old one reach it "
                        + "no longer; pd-admin ports client \(port) puts the new one into the agent kit, to join them again"
                )
            }
            try options.tellContradictions()
            tellPrivilege(of: port)
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Listen on a port no longer.")

        @OptionGroup var options: FleetOptions

        @Argument(help: "The TCP port.")
        var port: Int

        func run() async throws {
            try options.changeSettings { settings in
                let ports = try settings.settings().ports
                guard ports.contains(where: { $0.number == port }) else {
                    throw ToolFailure(.failed, "the server has no port \(port): see pd-admin ports list")
                }
                guard ports.count > 1 else {
                    throw ToolFailure(.failed, "\(port) is the only port: add another one first")
                }
                try settings.remove(port: port)
            }
            print("port \(port) is removed; start the server again")
            try options.tellContradictions()
        }
    }

    struct Client: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Let new agents use a port: changes the agent kit.",
            discussion: """
                Agents that have joined keep what they have. A certificate made with --self-signed is put into the \
                kit, so that agents trust it.
                """)

        @OptionGroup var options: FleetOptions

        @Argument(help: "The TCP port.")
        var port: Int

        @Option(
            name: [.customLong("host"), .customLong("hostname")],
            help: "The name or address at which agents reach the server, where it is another than now.")
        var host: String?

        func run() async throws {
            try options.changeState { try change() }
        }

        private func change() throws {
            guard let chosen = try options.serverSettings().ports.first(where: { $0.number == port }) else {
                throw ToolFailure(.failed, "the server has no port \(port): see pd-admin ports list")
            }
            let address = try AgentKit(options.state).use(chosen, host: host)
            print("new agents will use \(address.url)")
        }
    }
}

private func checkPort(_ port: Int) throws {
    guard (1...65_535).contains(port) else {
        throw ToolFailure(.usage, "\(port) is not a port from 1 to 65535")
    }
}

/// Says what a port needs that only the privileged may open: the unit allows that only where setup found such a port.
private func tellPrivilege(of port: Int) {
    guard port < 1024 else { return }
    print(
        "where systemd runs the server, run pd-server setup as root first: its unit has to allow port \(port)"
    )
}

extension FleetOptions {
    /// The settings, without opening the database.
    func serverSettings() throws -> ServerSettings {
        do {
            return try settingsFile().settings()
        } catch {
            throw ToolFailure(explaining: error)
        }
    }

    /// Says where the agents' kit and the ports contradict each other.
    func tellContradictions() throws {
        let lines = try asOwner { try AgentKit(state).contradictions(with: serverSettings()) }
        for line in lines { ToolFailure.warn("note: \(line)") }
    }

    /// When a port's certificate ends, or why that cannot be told.
    func expiry(_ tls: PortSettings.TLS) -> String {
        do {
            let file = URL(filePath: tls.certificate, relativeTo: state.settingsFile)
            return readable(try CertificateFile(file).expiresAt * 1000)
        } catch {
            return "\(error)"
        }
    }
}
