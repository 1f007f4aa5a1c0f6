import Foundation
import NIOCore
import PDDocument
import PDFleet
import PDSettings

/// Whether what the settings name can be used on this machine: the address, certificates with their keys, log files.
/// Mistakes are told with the line of the setting that they come from.
package struct SettingsCheck {
    private let settings: ServerSettings
    private let file: URL
    private let written: SettingsMapping

    /// - Parameters:
    ///   - settings: what was read.
    ///   - file: the settings file that it was read from.
    /// - Throws: ``StateError`` or `SettingsError` where the file cannot be read again.
    package init(_ settings: ServerSettings, file: URL) throws {
        self.settings = settings
        self.file = file
        written = try SettingsMapping(
            yaml: String(decoding: try PrivateFiles.read(file), as: UTF8.self), file: file.path)
    }

    /// Looks at all of it.
    ///
    /// - Parameter now: the clock, in seconds since 1970-01-01 UTC.
    /// - Returns: what will not stop the server, but agents.
    /// - Throws: `SettingsError`; ``StateError`` where the mistake comes from no line of the file.
    package func run(at now: Int64) throws -> [String] {
        try checkAddress()
        for case .file(let path, _, _) in settings.logging.destinations.map(\.place) { try checkLog(path) }
        return try settings.ports.compactMap(\.tls).compactMap { try checkCertificate($0, at: now) }
    }

    /// Binds any port of the address.
    private func checkAddress() throws {
        func failure(_ reason: String) -> any Error {
            mistake("cannot listen on \(settings.address): \(reason)") { $0 == settings.address }
        }
        let address: SocketAddress
        do {
            address = try SocketAddress.makeAddressResolvingHost(settings.address, port: 0)
        } catch {
            throw failure("no such address")
        }
        let descriptor = socket(address.protocol.rawValue, Int32(SOCK_STREAM.rawValue), 0)
        defer { if descriptor >= 0 { close(descriptor) } }
        guard descriptor >= 0, address.withSockAddr({ bind(descriptor, $0, socklen_t($1)) }) == 0 else {
            throw failure(String(cString: strerror(errno)))
        }
    }

    private func checkLog(_ path: String) throws {
        func failure(_ reason: String) -> any Error {
            // As the settings put a relative one together, whatever dots are in it.
            let folder = file.deletingLastPathComponent().path
            return mistake("cannot log to \(path): \(reason)") { $0 == path || "\(folder)/\($0)" == path }
        }
        let directory = URL(filePath: path).deletingLastPathComponent().path
        var info = stat()
        guard stat(directory, &info) == 0, info.st_mode & S_IFMT == S_IFDIR else {
            throw failure("there is no directory \(directory)")
        }
        guard lstat(path, &info) != 0 || info.st_mode & S_IFMT == S_IFREG else {
            throw failure("it is not a plain file")
        }
    }

    /// - Returns: what is to be said about a certificate that can be used, but will not be believed.
    private func checkCertificate(_ tls: PortSettings.TLS, at now: Int64) throws -> String? {
        let certificate = URL(filePath: tls.certificate, relativeTo: file)
        let key = URL(filePath: tls.key, relativeTo: file)
        let end: Int64
        do throws(StateError) {
            _ = try TLSIdentity(certificate: certificate, key: key)
            end = try CertificateFile(certificate).expiresAt
        } catch {
            let reason = error.description
            let isKey = reason.contains(key.path) && !reason.contains(certificate.path)
            throw mistake(reason) { $0 == (isKey ? tls.key : tls.certificate) }
        }
        guard end <= now else { return nil }
        return "\(certificate.path) expired at \(Timestamp.text(milliseconds: end * 1000)): no agent takes it"
    }

    /// The error, at the line where the file has a value such as that.
    private func mistake(_ message: String, where matches: (String) -> Bool) -> any Error {
        guard let line = written.line(whereText: matches) else { return StateError(message) }
        return SettingsError(file: file.path, line: line, message: message)
    }
}
