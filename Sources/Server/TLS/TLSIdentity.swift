import Foundation
import Logging
import NIOSSL
import PDBasics
import PDFleet
import PDSecrets
import Synchronization

/// The certificate and key of a port, read again when the files change. Connections that are open go on with what they
/// began with; new ones get the new certificate.
package final class TLSIdentity: Sendable {
    /// The certificate chain, PEM, the server's own first.
    package let certificate: URL
    /// The private key, PEM, without a passphrase.
    package let key: URL
    private let logger: Logger?
    private let clock: SteadyClock
    private let state: Mutex<State>

    private struct State {
        var context: NIOSSLContext
        var files: [FileVersion]
        var checked: ContinuousClock.Instant
    }

    /// What tells one state of a file from another.
    private struct FileVersion: Equatable {
        let inode: UInt
        let size: Int
        let seconds: Int
        let nanoseconds: Int
    }

    /// Reads both files.
    ///
    /// - Throws: ``StateError`` that names the file that is wrong.
    package init(
        certificate: URL, key: URL, clock: @escaping SteadyClock = { .now }, logger: Logger? = nil
    ) throws(StateError) {
        self.certificate = certificate
        self.key = key
        self.clock = clock
        self.logger = logger
        let files = Self.versions(certificate, key)
        state = Mutex(State(context: try Self.load(certificate, key), files: files, checked: clock()))
    }

    /// What new connections use. The files are looked at again at most once a second; where the new ones cannot be used,
    /// the old ones stay, and the log tells.
    var context: NIOSSLContext {
        state.withLock { state in
            let now = clock()
            guard state.checked.duration(to: now) >= .seconds(1) else { return state.context }
            state.checked = now
            let files = Self.versions(certificate, key)
            guard files != state.files else { return state.context }
            do {
                state.context = try Self.load(certificate, key)
                state.files = files
                logger?.notice(
                    "certificate read again", metadata: ["file": "\(certificate.path)"])
            } catch {
                // Perhaps one of the two is written before the other: the next second looks again.
                logger?.error("\(error); the certificate that was read before stays in use")
            }
            return state.context
        }
    }

    private static func versions(_ files: URL...) -> [FileVersion] {
        files.map { file in
            var info = stat()
            guard stat(file.path, &info) == 0 else {
                return FileVersion(inode: 0, size: -1, seconds: 0, nanoseconds: 0)
            }
            return FileVersion(
                inode: UInt(info.st_ino), size: Int(info.st_size), seconds: info.st_ctim.tv_sec,
                nanoseconds: info.st_ctim.tv_nsec)
        }
    }

    private static func load(_ certificate: URL, _ key: URL) throws(StateError) -> NIOSSLContext {
        let chain: [NIOSSLCertificate]
        do {
            chain = try NIOSSLCertificate.fromPEMBytes(try PrivateFiles.read(certificate, limit: 1 << 20))
        } catch let error as StateError {
            throw error
        } catch {
            throw StateError("\(certificate.path) is not a certificate in PEM: \(error)")
        }
        guard !chain.isEmpty else { throw StateError("\(certificate.path) holds no certificate") }
        let privateKey: NIOSSLPrivateKey
        do {
            // The library takes an array, and keeps the key in memory of its own.
            var bytes = try PrivateFiles.readSecret(key).withUnsafeBytes { Array($0) }
            defer { bytes.withUnsafeMutableBytes { $0.wipe() } }
            privateKey = try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch let error as StateError {
            throw error
        } catch {
            // The library's error may quote the file.
            throw StateError("\(key.path) is not a private key in PEM without a passphrase")
        }
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
            configuration.minimumTLSVersion = .tlsv12
            return try NIOSSLContext(configuration: configuration)
        } catch {
            throw StateError("\(certificate.path) and \(key.path) do not belong together: \(error)")
        }
    }
}
