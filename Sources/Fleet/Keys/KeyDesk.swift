import Foundation
import Logging
import PDCrypto
import PDProtocol
import PDSecrets
import PDStore

/// Where machines register their keys and hear of the server's: what the server answers to ``V2/KeysRequest``.
package struct KeyDesk: Sendable {
    /// Why a machine gets no answer.
    package enum Refusal: Error, Equatable {
        /// Neither the fleet's key signed the request nor a machine that is known.
        case unknown
        /// The machine is in the wrong hands.
        case lost
    }

    private let store: any FleetStore
    private let statements: KeyStatements
    private let state: ServerState
    private let random: SecureRandom
    private let logger: Logger

    /// - Parameter random: gives the ephemeral keys of what is sealed.
    package init(
        store: any FleetStore, state: ServerState,
        random: SecureRandom = SecureRandom(.sessionKey), logger: Logger
    ) {
        self.store = store
        statements = KeyStatements(directory: state.keyStatements)
        self.state = state
        self.random = random
        self.logger = logger
    }

    /// Answers a machine.
    ///
    /// - Parameters:
    ///   - signer: the client key that signed the request; nothing where it is none that is trusted. A machine that is
    ///     registered needs none, so that one that was away for long finds the way back.
    ///   - peer: the address that it asks from, for people.
    ///   - now: milliseconds since 1970-01-01 UTC.
    /// - Throws: ``Refusal``, ``StoreError``, ``StateError``.
    package func answer(
        _ request: V2.KeysRequest, signedBy signer: OpenPGP.Fingerprint?, from peer: String?, at now: Int64
    ) async throws -> V2.KeysAnswer {
        let said = request.statement
        let before = try await store.machine(said.hostname)
        var machine = before
        let entries = try entriesThatHold()
        let isOwn = machine.keys == said.keys
        // One that was found again joined with a kit that it could not have had before.
        let isFound = isOwn && machine.isLost && signer != nil && signer == entries.last?.statement.clientKey
        if isOwn, machine.isLost, !isFound { throw Refusal.lost }
        guard signer != nil || isOwn else { throw Refusal.unknown }
        let standing: V2.MachineStanding
        if isFound {
            claim(said, from: peer, &machine, now)
            standing = .waiting
        } else if isOwn {
            standing = .registered
        } else {
            standing = try await self.standing(of: said, signedBy: signer, &machine, peer, now)
        }
        var sealed: [UInt8]?
        if standing == .registered {
            machine.serverKey = said.serverKey
            machine.serial = said.serial
            if let current = entries.last?.statement.clientKey, current != signer {
                sealed = try seal(current, for: said)
                if sealed != nil { machine.sentKey = current }
            }
        }
        if machine != before { try await store.apply(records: [.put(.machines, machine.record)]) }
        let path = KeyStatement.path(
            through: entries.map(\.statement), after: said.serial, knowing: said.serverKey)
        return V2.KeysAnswer(
            standing: standing, statements: path.map { entries[$0].signed }, clientKey: sealed)
    }

    /// The statements; none where the newest one names another certificate than new agents are given. Somebody has given
    /// the port another one by hand then, and agents that followed would no longer find their server.
    private func entriesThatHold() throws(StateError) -> [KeyStatements.Entry] {
        let entries = try statements.entries()
        guard let last = entries.last, try ServerCertificate.authority(of: state) != last.statement.authority
        else { return entries }
        logger.warning(
            "the agent kit's server.crt is not what was announced: run pd-admin keys rotate certificate")
        return []
    }

    /// What becomes of keys that are not those of their host.
    private func standing(
        of said: MachineStatement, signedBy signer: OpenPGP.Fingerprint?, _ machine: inout Machine,
        _ peer: String?, _ now: Int64
    ) async throws -> V2.MachineStanding {
        // A name that nobody reports under gets no place: otherwise one machine could fill the database.
        guard try await store.host(said.hostname.name) != nil else { return .unknown }
        // One that was lost does not come back under the name of another.
        for other in try await store.machines() where other.isLost && other.keys == said.keys {
            throw Refusal.lost
        }
        let rotation = try await store.rotation(.client)
        let isCompromised = rotation.map { !$0.lost.isEmpty && signer.map($0.old.contains) ?? true } ?? false
        if machine.isLost, isCompromised, machine.keys == nil { throw Refusal.lost }
        if machine.keys == nil, !machine.isLost, !isCompromised {
            machine.keys = said.keys
            machine.registeredAt = now
            logger.notice(
                "a machine has registered its key",
                metadata: ["host": "\(said.hostname)", "key": "\(said.keys.fingerprint)"])
            return .registered
        }
        claim(said, from: peer, &machine, now)
        return .waiting
    }

    /// Keeps keys for an administrator to look at.
    private func claim(
        _ said: MachineStatement, from peer: String?, _ machine: inout Machine, _ now: Int64
    ) {
        guard !machine.claims.contains(where: { $0.keys == said.keys }),
            machine.claims.count < Machine.maximumClaims
        else { return }
        machine.claims.append(.init(keys: said.keys, at: now, peer: peer))
        logger.warning(
            "a machine's key waits for pd-admin hosts approve",
            metadata: [
                "host": "\(said.hostname)", "key": "\(said.keys.fingerprint)", "peer": "\(peer ?? "-")",
            ])
    }

    /// The client key for one machine; nothing where its secret half is not here, which is told in the log.
    private func seal(_ fingerprint: OpenPGP.Fingerprint, for said: MachineStatement) throws -> [UInt8]? {
        let file = state.clientSecretKey
        let secret: SecretBytes
        do throws(StateError) {
            secret = try PrivateFiles.readSecret(file, limit: OpenPGP.SecretKey.sizeLimit)
        } catch {
            logger.error("the client key cannot be sent to hosts: \(error)")
            return nil
        }
        guard try OpenPGP.SecretKey(secret).certificate.fingerprint == fingerprint else {
            logger.error(
                "\(file.path) is not the client key that was announced: run pd-admin keys rotate client again"
            )
            return nil
        }
        return try SealedClientKey.seal(
            secret, fingerprint: fingerprint, for: said.hostname, to: said.keys, random: random)
    }
}
