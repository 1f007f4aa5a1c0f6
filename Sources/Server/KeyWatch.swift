import Foundation
import Logging
import PDBasics
import PDCrypto
import PDFleet
import ServiceLifecycle

/// Announces keys that are about to expire, when the server starts and once a day: a fleet whose key has expired reports
/// nothing any more.
struct KeyWatch: ServiceLifecycle.Service {
    let clientKeys: RoleKeys
    let serverKey: URL
    let logger: Logger

    func run() async throws {
        while !Task.isShuttingDownGracefully {
            announce(at: OpenPGP.Timestamp(Moment.now().seconds))
            do {
                try await cancelWhenGracefulShutdown { try await Task.sleep(for: .seconds(86_400)) }
            } catch is CancellationError {
                return
            }
        }
    }

    /// One line for each key that is not good, or will not be for much longer.
    func announce(at now: OpenPGP.Timestamp) {
        for certificate in clientKeys.certificates { announce(certificate, role: "client", at: now) }
        do {
            guard FileManager.default.fileExists(atPath: serverKey.path) else { return }
            announce(
                try OpenPGP.Certificate(PrivateFiles.read(serverKey)), role: "server", at: now)
        } catch {
            logger.error("\(serverKey.path) is not a public key: \(error)")
        }
    }

    private func announce(_ certificate: OpenPGP.Certificate, role: String, at now: OpenPGP.Timestamp) {
        guard let expiry = KeyExpiry(certificate, at: now) else { return }
        logger.warning(
            "\(role) key \(expiry.text)", metadata: ["key": "\(certificate.fingerprint)"])
    }
}
