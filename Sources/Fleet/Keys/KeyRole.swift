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
    /// One that signs nothing, by itself or by what is known about it here, would leave its owner with orders and
    /// reports that are refused later and elsewhere.
    ///
    /// - Parameters:
    ///   - force: takes one that has expired, is revoked or begins later. What brings that news of a key that is
    ///     trusted here already is taken without it.
    ///   - now: the time by which it must be able to sign.
    /// - Returns: the key with all that is known about it in whatever role.
    /// - Throws: ``FleetError`` where it cannot sign, and nothing is written.
    package func trust(
        _ certificate: OpenPGP.Certificate, _ state: ServerState, force: Bool = false,
        at now: OpenPGP.Timestamp
    ) throws -> OpenPGP.Certificate {
        try refuseUnfit(certificate, state, force: force, at: now)
        let known = try RoleKeys.add(certificate, to: directory(state), knownIn: places(state))
        if self == .client { _ = try RoleKeys.remove(certificate.fingerprint, from: state.retiredKeys) }
        return known
    }

    /// Refuses a key whose signatures would be refused, as ``trust(_:_:force:at:)`` does.
    package func refuseUnfit(
        _ certificate: OpenPGP.Certificate, _ state: ServerState, force: Bool, at now: OpenPGP.Timestamp
    ) throws {
        let fingerprint = certificate.fingerprint
        // By itself first: a damaged copy must not pass, and be kept, because a whole one is known.
        var fitness = certificate.fitness(at: now)
        if fitness == .signs {
            fitness = try RoleKeys.merging(certificate, knownIn: places(state)).fitness(at: now)
        }
        switch fitness {
        case .signs: return
        case .notNow(let reason):
            guard !force, try RoleKeys.copies(of: fingerprint, in: directory(state)).isEmpty else { return }
            throw FleetError(
                .failed,
                "\(fingerprint) is not added, since its signatures would be refused: \(reason);"
                    + " --force adds it all the same")
        case .never(let reason):
            throw FleetError(.failed, "\(fingerprint) is not added, since it can never sign: \(reason)")
        }
    }

    /// Where something may be known about a key.
    private func places(_ state: ServerState) -> [URL] {
        Self.allCases.map { $0.directory(state) } + [state.retiredKeys]
    }

    /// How the user ID of a key begins that private values are encrypted to, in fleets of version 1.
    static let keepersName = "penguindome-secret-keeping"

    /// Why a key from a keyring of version 1 is none that hosts sign reports with, by the name that the original gave it;
    /// nothing where that does not speak against it.
    package static func whyNoClientKey(_ certificate: OpenPGP.Certificate) -> String? {
        for (name, whose) in [(keepersName, "the secret-keepers'"), ("penguindome-server", "a server's")]
        where certificate.userIDs.contains(where: { $0.hasPrefix(name) }) {
            return "it is \(whose)"
        }
        return nil
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
