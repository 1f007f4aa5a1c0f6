import Foundation
import Logging
import PDCrypto
import ServiceLifecycle

/// Announces keys that are about to expire, when the server starts and once a day: a fleet whose key has expired reports
/// nothing any more.
struct KeyWatch: ServiceLifecycle.Service {
    let clientKeys: RoleKeys
    let serverKey: URL
    let logger: Logger

    func run() async throws {
        while !Task.isShuttingDownGracefully {
            announce(at: .now())
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

/// What is to be said about how long a key will be good.
public struct KeyExpiry: Sendable, Equatable {
    /// So long before its end a key is announced, in days.
    public static let noticeDays: Int64 = 60

    /// What to say, for instance `expires in 12 days`.
    public let text: String

    /// Nothing where the key is good for longer than ``noticeDays``.
    public init?(_ certificate: OpenPGP.Certificate, at now: OpenPGP.Timestamp) {
        if let problem = certificate.problem(at: now) {
            text = "cannot be used: \(problem)"
            return
        }
        guard let end = certificate.expirationTime(at: now) else { return nil }
        let days = (end.seconds - now.seconds) / 86_400
        guard days < Self.noticeDays else { return nil }
        text = days <= 0 ? "expires today" : "expires in \(days) day\(days == 1 ? "" : "s")"
    }
}
