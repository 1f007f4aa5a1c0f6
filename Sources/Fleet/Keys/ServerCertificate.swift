import Foundation
import PDBasics
import PDFiles
import PDSettings

/// The certificate that the server made for itself, which agents are given to trust, and the one that is to follow.
struct ServerCertificate {
    private let state: ServerState
    /// The files of the port that agents use.
    private let tls: PortSettings.TLS
    /// The host that agents reach the server at.
    private let host: String

    private var certificate: URL { URL(filePath: tls.certificate, relativeTo: state.settingsFile) }
    private var key: URL { URL(filePath: tls.key, relativeTo: state.settingsFile) }
    private var nextCertificate: URL { state.directory.appending(path: "tls/next.crt") }
    private var nextKey: URL { state.directory.appending(path: "tls/next.key") }
    private var offered: URL { Self.offered(state) }

    private static func offered(_ state: ServerState) -> URL { state.agentKit.appending(path: "server.crt") }

    /// Looks for it.
    ///
    /// - Throws: ``FleetError`` where agents are given no certificate, or one that was not made here.
    init(_ state: ServerState) throws {
        self.state = state
        let settings = String(decoding: try PrivateFiles.read(state.settingsFile), as: UTF8.self)
        let ports = try ServerSettings(yaml: settings, file: state.settingsFile.path).ports
        guard Files.exists(Self.offered(state).path) else {
            throw FleetError(
                .failed,
                "agents trust the certificates of their systems: give the port another one with pd-admin ports configure"
            )
        }
        let trusted = try PrivateFiles.read(Self.offered(state), limit: 1 << 20)
        let found = try ports.compactMap(\.tls).first { tls in
            let file = try CertificateFile(URL(filePath: tls.certificate, relativeTo: state.settingsFile))
            return file.isMadeHere && trusted.contains(file.pem)
        }
        guard let found else {
            throw FleetError(
                .failed,
                "no port has a certificate that was made here and that the agent kit trusts: see pd-admin ports list"
            )
        }
        tls = found
        let kit = String(
            decoding: try PrivateFiles.read(state.agentKit.appending(path: "agent.yml")), as: UTF8.self)
        let url = try SettingsEditor(yaml: kit, file: "agent.yml").value(["server_url"])?.text
        guard let host = url.flatMap({ URLComponents(string: $0)?.host }) else {
            throw FleetError(.failed, "agent.yml of the agent kit names no server")
        }
        self.host = host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : host
    }

    /// What agents are given to trust.
    static func authority(of state: ServerState) throws(StateError) -> [UInt8]? {
        let file = offered(state)
        return Files.exists(file.path) ? try PrivateFiles.read(file, limit: 1 << 20) : nil
    }

    /// Makes the one that is to follow, where a cut has not left one.
    ///
    /// - Returns: the host that it is for.
    func prepareNext(at now: Moment) throws -> String {
        if Files.exists(nextCertificate.path) {
            // Without its key it is of no use; a cut leaves the key first.
            try CertificateFile(nextCertificate).check(key: nextKey)
        } else {
            let made = try SelfSignedCertificate(
                host: host, days: SelfSignedCertificate.maximumDays,
                now: Date(timeIntervalSince1970: Double(now.seconds)))
            try PrivateFiles.makeDirectory(nextKey.deletingLastPathComponent())
            try PrivateFiles.write(made.key, to: nextKey)
            try PrivateFiles.write(made.certificate, to: nextCertificate, mode: 0o644)
        }
        return host
    }

    /// Has agents trust both.
    func offerBoth() throws {
        let present = try CertificateFile(certificate).pem
        let next = try CertificateFile(nextCertificate).pem
        try PrivateFiles.write(present + next, to: offered, mode: 0o644)
    }

    /// Has the server use the one that is to follow: it takes up a pair that belongs together within a second.
    func useNext() throws {
        guard Files.exists(nextCertificate.path) else { return }
        try PrivateFiles.replaceFollowingLinks(try PrivateFiles.read(nextKey), at: key)
        try PrivateFiles.replaceFollowingLinks(try PrivateFiles.read(nextCertificate), at: certificate)
    }

    /// Has agents trust that one alone.
    func offerNext() throws {
        try PrivateFiles.write(try CertificateFile(certificate).pem, to: offered, mode: 0o644)
    }

    /// Takes the files away that were prepared.
    func clear() throws(StateError) {
        do {
            try Files.remove(nextCertificate.path)
            try Files.remove(nextKey.path)
        } catch { throw StateError("\(error)") }
    }
}

extension [UInt8] {
    /// Whether the other bytes stand somewhere in these.
    fileprivate func contains(_ other: [UInt8]) -> Bool {
        guard let first = other.first else { return true }
        return indices.contains { start in
            self[start] == first && count - start >= other.count
                && self[start..<start + other.count].elementsEqual(other)
        }
    }
}
