import Foundation
import PDFiles
import PDSettings

/// What new agents join with: the directory `agent-kit` of a server's state.
package struct AgentKit {
    private let state: ServerState
    private var directory: URL { state.agentKit }
    private var file: URL { directory.appending(path: "agent.yml") }
    private var authority: URL { directory.appending(path: "server.crt") }

    /// The kit of a server.
    package init(_ state: ServerState) { self.state = state }

    /// Where its agents look for the server.
    package struct Address: Sendable, Equatable {
        /// A host name, or an address without brackets.
        package let host: String
        /// The TCP port, the scheme's own where none is named.
        package let port: Int
        /// Whether TLS is promised.
        package let isTLS: Bool
        /// As it is written.
        package let url: String

        /// Reads a URL; nothing where it is not one of a server.
        package init?(_ url: String) {
            guard let parts = URLComponents(string: url), let host = parts.host, !host.isEmpty,
                ["http", "https"].contains(parts.scheme?.lowercased() ?? "")
            else { return nil }
            self.url = url
            self.host = host.hasPrefix("[") ? String(host.dropFirst().dropLast()) : host
            isTLS = parts.scheme?.lowercased() == "https"
            port = parts.port ?? (isTLS ? 443 : 80)
        }

        /// The URL of a port.
        package init(host: String, port: Int, isTLS: Bool) throws(FleetError) {
            var parts = URLComponents()
            parts.scheme = isTLS ? "https" : "http"
            // RFC 3986, section 3.2.2.
            parts.host = host.contains(":") && !host.hasPrefix("[") ? "[\(host)]" : host
            if port != (isTLS ? 443 : 80) { parts.port = port }
            guard let url = parts.string, let address = Address(url) else {
                throw FleetError(.usage, "\(host) is not a host name")
            }
            self = address
        }
    }

    /// Where its agents look for the server; nothing where there is no kit, or it does not say.
    package var address: Address? {
        get throws {
            guard Files.exists(file.path) else { return nil }
            return try editor().value(["server_url"])?.text.flatMap { Address($0) }
        }
    }

    private func editor() throws -> SettingsEditor {
        SettingsEditor(yaml: String(decoding: try PrivateFiles.read(file), as: UTF8.self), file: file.path)
    }

    /// Lets new agents use a port of the server.
    ///
    /// - Parameter host: the name or address at which they reach it, where it is another than now.
    /// - Returns: where they will look for it.
    /// - Throws: ``FleetError`` where the port's certificate is not for that host.
    package func use(_ port: PortSettings, host: String?) throws -> Address {
        guard let host = try host ?? address?.host else {
            throw FleetError(.usage, "\(file.path) names no server: say which with --host")
        }
        var editor = try editor()
        let address = try Address(host: host, port: port.number, isTLS: port.tls != nil)
        if let tls = port.tls, try !certificate(tls).names(host) {
            throw FleetError(
                .failed, "\(path(of: tls)) is not for \(host): name a host that it is for with --host")
        }
        try editor.set(["server_url"], to: .text(address.url))
        try PrivateFiles.replace(Array(editor.yaml.utf8), at: file)
        try trust(port)
        return address
    }

    /// Has new agents trust the certificate of a port, where it vouches for itself, and no other that the kit has.
    package func trust(_ port: PortSettings) throws {
        var editor = try editor()
        if let own = try port.tls.map(certificate), own.vouchesForItself {
            try PrivateFiles.write(own.pem, to: authority, mode: 0o644)
            try editor.set(["ssl", "ca_path"], to: .text(authority.lastPathComponent))
        } else if try editor.value(["ssl", "ca_path"])?.text == authority.lastPathComponent {
            // Nothing stays of it: `ssl: {}` would look like a setting.
            let isAlone = try editor.value(["ssl"])?.entries?.count == 1
            try editor.remove(isAlone ? ["ssl"] : ["ssl", "ca_path"])
            try PrivateFiles.replace(Array(editor.yaml.utf8), at: file)
            return try Files.remove(authority.path)
        }
        try PrivateFiles.replace(Array(editor.yaml.utf8), at: file)
    }

    /// Where kit and ports contradict each other, so that new agents would not reach the server; lines for people.
    package func contradictions(with settings: ServerSettings) throws -> [String] {
        guard let address = try address else { return [] }
        let says = "the agent kit says \(address.url)"
        guard let port = settings.ports.first(where: { $0.number == address.port }) else {
            // Something in front of the server may listen there.
            guard settings.trustedProxies.isEmpty else { return [] }
            return [
                "\(says), and the server does not listen on port \(address.port): pd-admin ports client lets new agents use another one, unless a proxy forwards that one"
            ]
        }
        var found: [String] = []
        if port.isDeprecated {
            found.append("\(says), and port \(port.number) is deprecated: see pd-admin ports client")
        }
        guard let tls = port.tls else {
            if address.isTLS, settings.trustedProxies.isEmpty {
                found.append(
                    "\(says), and port \(port.number) serves plain HTTP: pd-admin ports configure \(port.number) --self-signed \(address.host) sets TLS up; a proxy that does so belongs to trusted_proxies"
                )
            }
            return found
        }
        guard address.isTLS else {
            return found + [
                "\(says), and port \(port.number) has TLS: pd-admin ports client \(port.number) puts that right"
            ]
        }
        // A certificate that cannot be read is told elsewhere.
        guard let certificate = try? self.certificate(tls) else { return found }
        let client = "pd-admin ports client \(port.number)"
        if !certificate.names(address.host) {
            found.append("\(says), and \(path(of: tls)) is not for \(address.host): see \(client) --host")
        } else if certificate.vouchesForItself,
            try !Files.exists(authority.path) || PrivateFiles.read(authority) != certificate.pem
        {
            found.append("new agents would not trust \(path(of: tls)): \(client) puts it into the agent kit")
        }
        return found
    }

    private func path(of tls: PortSettings.TLS) -> String {
        URL(filePath: tls.certificate, relativeTo: state.settingsFile).path
    }

    private func certificate(_ tls: PortSettings.TLS) throws(StateError) -> CertificateFile {
        try CertificateFile(URL(filePath: tls.certificate, relativeTo: state.settingsFile))
    }
}

extension ServerState {
    /// How the settings name a file: by its path in the state where that is beside them, so that the state can move.
    package func settingsPath(of file: URL) -> String {
        let beside = settingsFile.deletingLastPathComponent().standardizedFileURL.path + "/"
        let path = file.standardizedFileURL.path
        return path.hasPrefix(beside) ? String(path.dropFirst(beside.count)) : path
    }

    /// Where a certificate lies that was made for a port, with its key.
    package func madeCertificate(port: Int) -> (certificate: URL, key: URL) {
        let tls = directory.appending(path: "tls")
        return (tls.appending(path: "\(port).crt"), tls.appending(path: "\(port).key"))
    }
}
