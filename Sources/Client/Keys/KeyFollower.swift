import Logging
import PDCrypto
import PDFiles
import PDProtocol
import PDSecrets

/// Registers this machine's own keys, and follows what the server says of the fleet's: its own key, the client key, the
/// certificate that it proves itself with, and nothing else. Whom this machine obeys is in its settings.
struct KeyFollower {
    /// Why the server's word is not followed; one line for people.
    enum Problem: Error, CustomStringConvertible {
        /// There was no answer.
        case notReached(String)
        /// The server knows nothing of keys: an older one.
        case notOffered
        /// The server refuses this machine.
        case refused(Int)
        /// What it says is not what the server's key signed, or leads nowhere.
        case statement(String)
        /// The client key that came is not the one that was announced, or not for this machine.
        case clientKey(String)

        var description: String {
            switch self {
            case .notReached(let reason): reason
            case .notOffered: "the server knows nothing of the keys of machines"
            case .refused(let status):
                "the server tells this machine nothing of the fleet's keys: it refused with status \(status)"
            case .statement(let reason): "what the server says of its keys is not followed: \(reason)"
            case .clientKey(let reason): "the client key that the server sent is not taken: \(reason)"
            }
        }
    }

    let state: StateDirectory
    let hostname: Hostname
    let now: Int64
    let log: Logger
    /// Is called before each thing that is written, for tests of what a cut leaves.
    var checkpoint: () throws -> Void = {}

    /// Asks, and follows.
    ///
    /// - Parameter signer: has the client key that is in use.
    /// - Returns: the client key to use from now on, where it is another one.
    /// - Throws: ``Problem``, ``AgentError``, `FileError`.
    func follow(_ signer: any ReportSigner, over transport: any RequestTransport) async throws
        -> OpenPGPSigner?
    {
        let machine = try MachineKey(file: state.machineKey)
        var history = KeyHistory(file: state.keyHistory)
        try settle(&history)
        let answer = try await ask(machine, history, signer, transport)
        if history.standing != answer.standing {
            history.standing = answer.standing
            try history.write(to: state.keyHistory)
        }
        for statement in answer.statements { try follow(statement, &history) }
        var new: OpenPGPSigner?
        if let sealed = answer.clientKey, let wanted = history.clientKey, "\(wanted)" != signer.fingerprint {
            new = try take(sealed, wanted, machine, signer)
        }
        guard new != nil || !answer.statements.isEmpty else { return nil }
        // Says by what is new that it is here, so that what is old is needed no longer.
        _ = try await ask(machine, history, new ?? signer, transport)
        return new
    }

    private func ask(
        _ machine: MachineKey, _ history: KeyHistory, _ signer: any ReportSigner,
        _ transport: any RequestTransport
    ) async throws -> V2.KeysAnswer {
        guard let clientKey = OpenPGP.Fingerprint(hex: signer.fingerprint) else {
            throw Problem.clientKey("the present one has no fingerprint")
        }
        let statement = MachineStatement(
            hostname: hostname, keys: machine.publicKeys, serverKey: try serverKey().fingerprint,
            serial: history.serial, clientKey: clientKey, made: now / 1000)
        let data = try V2.KeysRequest(statement, signedBy: machine.signing).json()
        let signature = try signer.sign(data, at: now / 1000)
        let body = V1.Envelope(data: data, signature: Array(signature.utf8)).formBody()
        let answer: TransportAnswer
        do throws(TransportError) {
            answer = try await transport.request(V2.keysPath, body, limit: V2.maximumKeysBytes)
        } catch { throw Problem.notReached(error.description) }
        switch answer.status {
        case 200...299: break
        case 404: throw Problem.notOffered
        case 401, 403: throw Problem.refused(answer.status)
        default: throw Problem.notReached("it answered with status \(answer.status)")
        }
        do throws(ProtocolError) {
            return try V2.KeysAnswer(json: answer.body)
        } catch { throw Problem.notReached("its answer cannot be read: \(error)") }
    }

    private func serverKey() throws -> OpenPGP.Certificate {
        do {
            return try OpenPGP.Certificate(try Files.read(state.serverKey, limit: 1 << 20))
        } catch let error as OpenPGP.Error {
            throw AgentError.key(file: state.serverKey, reason: "\(error)")
        }
    }

    /// Follows one statement, whole or not at all.
    private func follow(_ signed: SignedStatement, _ history: inout KeyHistory) throws {
        let known = try serverKey()
        let statement: KeyStatement
        do throws(SignedStatement.Failure) {
            statement = try signed.keys(verifiedBy: known, at: OpenPGP.Timestamp(now / 1000))
        } catch { throw Problem.statement("\(error)") }
        guard statement.signer == known.fingerprint else {
            throw Problem.statement("it is not by the server's key that is known here")
        }
        guard statement.serial > history.serial else {
            throw Problem.statement("it is older than number \(history.serial), which was followed")
        }
        var next = history
        next.serial = statement.serial
        next.clientKey = statement.clientKey
        if statement.serverKey.fingerprint != known.fingerprint {
            next.formerServerKeys.append(known.fingerprint)
        }
        next.pending = .init(
            serverKey: statement.serverKey.armored(),
            authority: statement.authority.map { String(decoding: $0, as: UTF8.self) })
        try checkpoint()
        try next.write(to: state.keyHistory)
        history = next
        try settle(&history)
        log.notice(
            "followed what the server says of its keys", metadata: ["serial": "\(statement.serial)"])
    }

    /// Puts in place what the last statement said.
    private func settle(_ history: inout KeyHistory) throws {
        guard let pending = history.pending else { return }
        // A machine whose system vouches for the server has no such file, and needs none.
        if let authority = pending.authority, Files.exists(state.authority) {
            try checkpoint()
            try Files.writeAtomically(Array(authority.utf8), to: state.authority)
        }
        try checkpoint()
        try Files.writeAtomically(Array(pending.serverKey.utf8), to: state.serverKey)
        history.pending = nil
        try checkpoint()
        try history.write(to: state.keyHistory)
    }

    /// Takes the client key that was announced, and keeps by which one reports that wait were signed.
    private func take(
        _ sealed: [UInt8], _ wanted: OpenPGP.Fingerprint, _ machine: MachineKey, _ signer: any ReportSigner
    ) throws -> OpenPGPSigner {
        let secret: SecretBytes
        do {
            secret = try SealedClientKey.open(
                sealed, fingerprint: wanted, for: hostname, with: machine.sealing)
        } catch { throw Problem.clientKey("\(error)") }
        let new: OpenPGPSigner
        do throws(OpenPGP.Error) {
            new = try OpenPGPSigner(secret)
        } catch { throw Problem.clientKey("\(error)") }
        guard new.fingerprint == "\(wanted)" else {
            throw Problem.clientKey("it is not the one that was announced")
        }
        try checkpoint()
        try state.addFormerClientKey(signer.armoredPublicKey)
        try checkpoint()
        try Files.writeAtomically(secret, to: state.clientKey)
        log.notice("reports are signed with another key from now on", metadata: ["key": "\(wanted)"])
        return new
    }
}
