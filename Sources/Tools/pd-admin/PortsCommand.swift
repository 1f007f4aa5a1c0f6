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
                let tls = PortSettings.TLS(
                    certificate: URL(filePath: certificate).path, key: URL(filePath: key).path)
                // Both are read, so that a port that cannot be opened is known now.
                try CertificateFile(URL(filePath: tls.certificate)).check(key: URL(filePath: tls.key))
                return Proof(tls: tls, made: nil)
            }
            guard let host = selfSigned else { return nil }
            let made = try SelfSignedCertificate(
                host: host, days: days ?? SelfSignedCertificate.maximumDays)
            let directory = options.state.directory.appending(path: "tls")
            let tls = PortSettings.TLS(
                certificate: directory.appending(path: "\(port).crt").path,
                key: directory.appending(path: "\(port).key").path)
            return Proof(tls: tls, made: made)
        }
    }

    /// What a port is to prove itself with, and the certificate where it is one that was just made.
    struct Proof {
        let tls: PortSettings.TLS
        let made: SelfSignedCertificate?

        /// Writes what was made, once it is known that the server would take the settings that name it.
        func write(for settings: SettingsFile) throws {
            _ = try settings.settings()
            try made?.write(
                certificate: URL(filePath: tls.certificate), key: URL(filePath: tls.key))
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
        static let configuration = CommandConfiguration(abstract: "Change a port.")

        @OptionGroup var options: FleetOptions
        @OptionGroup var properties: Properties

        @Argument(help: "The TCP port.")
        var port: Int

        @Flag(inversion: .prefixedNo, help: "Open an issue for each host that uses it.")
        var deprecated: Bool?

        @Flag(help: "Serve plain HTTP there from now on.")
        var noTls = false

        func validate() throws {
            guard !noTls || properties.certificate == nil && properties.selfSigned == nil else {
                throw ValidationError("--no-tls contradicts a certificate")
            }
            guard
                noTls || deprecated != nil || properties.certificate != nil || properties.selfSigned != nil
            else { throw ValidationError("there is nothing to change") }
        }

        func run() async throws {
            try options.changeSettings { settings in
                guard try settings.settings().ports.contains(where: { $0.number == port }) else {
                    throw ToolFailure(.failed, "the server has no port \(port): see pd-admin ports list")
                }
                let proof = try properties.proof(port: port, options)
                if noTls || proof != nil { try settings.set(tls: proof?.tls, ofPort: port) }
                if let deprecated { try settings.set(isDeprecated: deprecated, ofPort: port) }
                try proof?.write(for: settings)
            }
            print("port \(port) is changed; start the server again to use it")
            if properties.selfSigned != nil {
                print(
                    "a server that runs uses a replaced certificate within seconds: agents that trust the old one reach it "
                        + "no longer; pd-admin ports client \(port) puts the new one into the agent kit, to join them again"
                )
            }
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

        @Option(help: "The name or address at which agents reach the server, where it is another than now.")
        var host: String?

        func run() async throws {
            try options.changeState { try change() }
        }

        private func change() throws {
            guard let chosen = try options.serverSettings().ports.first(where: { $0.number == port }) else {
                throw ToolFailure(.failed, "the server has no port \(port): see pd-admin ports list")
            }
            let kit = options.state.agentKit
            let file = kit.appending(path: "agent.yml")
            var editor = SettingsEditor(
                yaml: String(decoding: try PrivateFiles.read(file), as: UTF8.self), file: file.path)
            let old = try editor.value(["server_url"])?.text
            guard let host = host ?? old.flatMap({ URLComponents(string: $0)?.host }) else {
                throw ToolFailure(.usage, "\(file.path) names no server: say which with --host")
            }
            var certificate: CertificateFile?
            if let tls = chosen.tls {
                let url = URL(filePath: tls.certificate, relativeTo: options.state.settingsFile)
                let found = try CertificateFile(url)
                guard found.names(host) else {
                    throw ToolFailure(
                        .failed, "\(url.path) is not for \(host): name a host that it is for with --host")
                }
                certificate = found
            }
            var components = URLComponents()
            components.scheme = chosen.tls == nil ? "http" : "https"
            // RFC 3986, section 3.2.2.
            components.host = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
            let standard = chosen.tls == nil ? 80 : 443
            if chosen.number != standard { components.port = chosen.number }
            guard let url = components.string else { throw ToolFailure(.usage, "\(host) is not a host name") }
            try editor.set(["server_url"], to: .text(url))
            let authority = kit.appending(path: "server.crt")
            if let certificate, certificate.vouchesForItself {
                try PrivateFiles.write(certificate.pem, to: authority, mode: 0o644)
                try editor.set(["ssl", "ca_path"], to: .text(authority.lastPathComponent))
            } else if try editor.value(["ssl", "ca_path"])?.text == authority.lastPathComponent {
                try editor.remove(["ssl", "ca_path"])
            }
            try PrivateFiles.replace(Array(editor.yaml.utf8), at: file)
            print("new agents will use \(url)")
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
