import Foundation
import PDCrypto

/// What a public key that the server knows may sign.
package enum KeyRole: String, Sendable, CaseIterable {
    /// Reports.
    case client
    /// Releases of the agent.
    case release
    /// Orders that put files in place.
    case patch
    /// Orders that run a command.
    case command

    /// What the key may sign, for people.
    package var what: String {
        switch self {
        case .client: "reports"
        case .release: "releases"
        case .patch: "patches"
        case .command: "commands"
        }
    }

    /// Where the keys of this role are.
    package func directory(_ state: ServerState) -> URL { state.keys.appending(path: rawValue) }

    /// Lets a key sign from now on.
    ///
    /// - Returns: the key with all that is known about it in whatever role.
    package func trust(
        _ certificate: OpenPGP.Certificate, _ state: ServerState
    ) throws -> OpenPGP.Certificate {
        let places = Self.allCases.map { $0.directory(state) } + [state.retiredKeys]
        let known = try RoleKeys.add(certificate, to: directory(state), knownIn: places)
        if self == .client { _ = try RoleKeys.remove(certificate.fingerprint, from: state.retiredKeys) }
        return known
    }

    /// Every host holds the client key: who holds one host must not be able to speak as the server, or to sign what
    /// all hosts obey.
    package func refuseMixing(_ certificate: OpenPGP.Certificate, _ state: ServerState) throws {
        let fingerprint = certificate.fingerprint
        let server = try OpenPGP.Certificate(try PrivateFiles.read(state.serverPublicKey))
        // Whether it may sign what hosts obey is its owner's choice.
        guard self != .client || fingerprint != server.fingerprint else {
            throw FleetError(.failed, "\(fingerprint) is the server's own key: it signs no \(what)")
        }
        // One that they held once they may hold still.
        guard try self == .client || RoleKeys.copies(of: fingerprint, in: state.retiredKeys).isEmpty
        else {
            throw FleetError(
                .failed,
                "\(fingerprint) is a retired client key, which hosts have held: it signs no \(what)")
        }
        for other in Self.allCases where (self == .client) != (other == .client) {
            guard try !RoleKeys.copies(of: fingerprint, in: other.directory(state)).isEmpty else {
                continue
            }
            throw FleetError(
                .failed,
                "\(fingerprint) may sign \(other.what): hosts hold the client key, so it must sign reports alone"
            )
        }
    }
}
