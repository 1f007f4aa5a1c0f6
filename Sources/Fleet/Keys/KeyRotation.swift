import Foundation
import PDBasics
import PDCrypto
import PDFiles
import PDProtocol
import PDStore

/// Replaces the fleet's client key, the server's key or the certificate of its port, without a hand on any host: what is
/// new is made, announced in a ``KeyStatement``, and what is old goes once no host needs it.
///
/// Each step can be done again: a rotation that was cut off goes on where it stopped when it is next called.
package struct KeyRotation {
    /// What a call did.
    package struct Outcome: Sendable {
        /// What was done, for people, in order.
        package var steps: [String] = []
        /// What is under way now; nothing where it is finished.
        package var rotation: Rotation?
        /// How far the hosts are.
        package var progress: RotationProgress
    }

    private let fleet: Fleet
    private let now: Moment
    private var state: ServerState { fleet.state }
    private var store: any FleetStore { fleet.store }
    private let statements: KeyStatements
    private var steps: [String] = []
    /// Is called before each thing that is written, for tests of what a cut leaves.
    var checkpoint: () throws -> Void = {}

    package init(_ fleet: Fleet, at now: Moment) {
        self.fleet = fleet
        self.now = now
        statements = KeyStatements(directory: fleet.state.keyStatements)
    }

    /// How far the hosts would be, or are.
    package func progress(_ subject: Rotation.Subject) async throws -> (Rotation?, RotationProgress) {
        let rotation = try await store.rotation(subject)
        var planned = rotation ?? Rotation(subject, at: now.milliseconds)
        // Before it has begun, all that is in use is old.
        if rotation == nil, subject == .client {
            planned.old = try trusted()
        }
        return (rotation, try await RotationProgress(planned, store))
    }

    /// Begins, or goes on.
    ///
    /// - Parameters:
    ///   - lost: hosts that are in the wrong hands; for the client key.
    ///   - since: machines that have registered a key from then on have to be approved once more; for the client key.
    ///   - isFinal: whether what is old goes although hosts still use it.
    /// - Throws: ``FleetError``, ``StateError``, ``StoreError``.
    package mutating func advance(
        _ subject: Rotation.Subject, lost: [Hostname] = [], since: Moment? = nil, isFinal: Bool = false
    ) async throws -> Outcome {
        let lock = try PrivateFiles.lock(state)
        defer { withExtendedLifetime(lock) {} }
        steps = []
        // Nothing is made that nobody could announce.
        _ = try serverSecretKey()
        switch subject {
        case .client: try await advanceClient(lost, since, isFinal)
        case .server: try await advanceServer(isFinal)
        case .certificate: try await advanceCertificate(isFinal)
        }
        let (rotation, progress) = try await progress(subject)
        return Outcome(steps: steps, rotation: rotation, progress: progress)
    }

    // MARK: - Client key

    private var nextClientKey: URL { state.keys.appending(path: "client-next.key.asc") }

    private mutating func advanceClient(_ lost: [Hostname], _ since: Moment?, _ isFinal: Bool) async throws {
        for host in lost { _ = try await fleet.host(named: host.name) }
        var rotation = try await store.rotation(.client)
        let isResumed = Files.exists(nextClientKey.path)
        var machines = try await mark(lost, since)
        let uses = try await store.keyUses()
        // Whoever has the new key already has to be left behind by one more.
        let haveNew = lost.filter { host in
            guard let new = rotation?.new else { return false }
            return uses[host] == new || machines[host]?.sentKey == new
        }
        if rotation == nil || isResumed || !haveNew.isEmpty {
            let next = try nextKey(nextClientKey, userID: "penguindome-client")
            var begun = rotation ?? Rotation(.client, at: now.milliseconds)
            let fingerprint = next.certificate.fingerprint
            // All that may sign now, those of imported keyrings too: whoever was lost had one of them.
            let trusted = try self.trusted()
            begun.old += trusted.filter { $0 != fingerprint && !begun.old.contains($0) }
            begun.new = fingerprint
            begun.serial = 0
            begun.lost += lost.filter { !begun.lost.contains($0) }
            try checkpoint()
            _ = try RoleKeys.add(next.certificate, to: state.clientKeys)
            try await keep(begun, &machines)
            try checkpoint()
            // The fingerprint in the store and the key in the kit, before the file that says that this is not so yet goes.
            try PrivateFiles.write(next.armored(), to: state.clientSecretKey)
            try checkpoint()
            try remove(nextClientKey)
            rotation = begun
            steps.append("the client key \(fingerprint) is made, and new agents join with it")
        } else if var known = rotation, !machines.isEmpty {
            known.lost += lost.filter { !known.lost.contains($0) }
            try await keep(known, &machines)
            rotation = known
        }
        guard var rotation else { return }
        if rotation.serial == 0 {
            rotation.serial = try await announce()
            try await store.apply(records: [.put(.rotations, rotation.record)])
            return
        }
        let progress = try await RotationProgress(rotation, store)
        guard isFinal || lost.isEmpty && progress.remaining.isEmpty else { return }
        for key in rotation.old {
            for copy in try RoleKeys.copies(of: key, in: state.clientKeys) {
                try RoleKeys.add(copy.certificate, to: state.retiredKeys, knownIn: [state.clientKeys])
            }
            try checkpoint()
            _ = try RoleKeys.remove(key, from: state.clientKeys)
            steps.append("the client key \(key) is retired: reports signed with it are refused")
        }
        try await store.apply(records: [.remove(.rotations, id: Rotation.Subject.client.rawValue)])
    }

    /// The client keys that may sign now. A file that holds none is told by the server and by keys list.
    private func trusted() throws(StateError) -> [OpenPGP.Fingerprint] {
        try RoleKeys.keyFiles(in: state.clientKeys).compactMap { try? $0.certificate.get().fingerprint }
    }

    /// What the machines of lost hosts are from now on, and those that registered too late to be sure of.
    private func mark(_ lost: [Hostname], _ since: Moment?) async throws -> [Hostname: Machine] {
        var changed: [Hostname: Machine] = [:]
        for host in lost {
            var machine = try await store.machine(host)
            machine.isLost = true
            changed[host] = machine
        }
        guard let since else { return changed }
        for var machine in try await store.machines() where changed[machine.hostname] == nil {
            guard let keys = machine.keys, let at = machine.registeredAt, at >= since.milliseconds else {
                continue
            }
            machine.claims.append(.init(keys: keys, at: at, peer: nil))
            machine.keys = nil
            machine.registeredAt = nil
            changed[machine.hostname] = machine
        }
        return changed
    }

    private func keep(_ rotation: Rotation, _ machines: inout [Hostname: Machine]) async throws {
        try await store.apply(
            records: [.put(.rotations, rotation.record)]
                + machines.values.map { .put(.machines, $0.record) })
        machines = [:]
    }

    // MARK: - Server's key

    private var nextServerKey: URL { state.keys.appending(path: "server-next.key.asc") }

    private func formerServerKey(_ fingerprint: OpenPGP.Fingerprint) -> URL {
        state.formerServerKeys.appending(path: "\(fingerprint).key.asc")
    }

    private mutating func advanceServer(_ isFinal: Bool) async throws {
        var rotation = try await store.rotation(.server)
        if rotation == nil || Files.exists(nextServerKey.path) {
            let current = try serverSecretKey()
            steps.append("a new server key is made")
            let next = try nextKey(nextServerKey, userID: "penguindome-server")
            var begun = rotation ?? Rotation(.server, at: now.milliseconds)
            if current.certificate.fingerprint != next.certificate.fingerprint {
                begun.old = [current.certificate.fingerprint]
                begun.new = next.certificate.fingerprint
                // Machines of version 1 know this one for ever, and whoever goes on here after a cut signs with it.
                try checkpoint()
                try PrivateFiles.makeDirectory(state.formerServerKeys)
                try PrivateFiles.write(
                    current.armored(), to: formerServerKey(current.certificate.fingerprint))
                begun.serial = try await announce(serverKey: next.certificate, signedBy: current)
                try checkpoint()
                try await store.apply(records: [.put(.rotations, begun.record)])
                try checkpoint()
                try PrivateFiles.write(next.armored(), to: state.serverSecretKey)
            }
            try checkpoint()
            let published = Array(next.certificate.armored().utf8)
            try PrivateFiles.write(published, to: state.serverPublicKey)
            try PrivateFiles.write(published, to: state.agentKit.appending(path: "server.pub.asc"))
            try checkpoint()
            try remove(nextServerKey)
            rotation = begun
            steps.append(
                "the server signs with \(next.certificate.fingerprint), which the old key has vouched for"
            )
            return
        }
        guard let rotation else { return }
        let progress = try await RotationProgress(rotation, store)
        guard isFinal || progress.remaining.isEmpty else { return }
        for key in rotation.old {
            try checkpoint()
            try remove(formerServerKey(key))
            steps.append("the secret half of the server key \(key) is destroyed")
        }
        try await store.apply(records: [.remove(.rotations, id: Rotation.Subject.server.rawValue)])
    }

    // MARK: - Certificate

    private mutating func advanceCertificate(_ isFinal: Bool) async throws {
        let place = try ServerCertificate(state)
        guard var rotation = try await store.rotation(.certificate) else {
            try checkpoint()
            let host = try place.prepareNext(at: now)
            try checkpoint()
            try place.offerBoth()
            try checkpoint()
            var begun = Rotation(.certificate, at: now.milliseconds)
            begun.serial = try await announce()
            try await store.apply(records: [.put(.rotations, begun.record)])
            steps.append("a new certificate for \(host) is made, and agents are told to trust both")
            return
        }
        if rotation.serial == 0 {
            rotation.serial = try await announce()
            try await store.apply(records: [.put(.rotations, rotation.record)])
            return
        }
        let progress = try await RotationProgress(rotation, store)
        guard isFinal || progress.remaining.isEmpty else { return }
        try checkpoint()
        try place.useNext()
        try checkpoint()
        try place.offerNext()
        try checkpoint()
        _ = try await announce()
        try checkpoint()
        try place.clear()
        try await store.apply(records: [.remove(.rotations, id: Rotation.Subject.certificate.rawValue)])
        steps.append("the server uses the new certificate, and agents are told to trust no other")
    }

    // MARK: - Statements and files

    /// Says what is so now, unless that has been said.
    ///
    /// - Returns: the serial number of the statement that says so.
    private mutating func announce(
        serverKey: OpenPGP.Certificate? = nil, signedBy signer: OpenPGP.SecretKey? = nil
    ) async throws -> Int {
        let signer = try signer ?? serverSecretKey()
        let serverKey = serverKey ?? signer.certificate
        let last = try statements.entries().last?.statement
        let client = try secretKey(state.clientSecretKey).certificate.fingerprint
        let authority = try ServerCertificate.authority(of: state)
        if let last, last.serverKey.fingerprint == serverKey.fingerprint, last.clientKey == client,
            last.authority == authority
        {
            return last.serial
        }
        let serial = try await nextSerial(after: last?.serial ?? 0)
        let statement: KeyStatement
        do throws(StatementError) {
            statement = try KeyStatement(
                serial: serial, issued: now.seconds, signer: signer.certificate.fingerprint,
                serverKey: serverKey, clientKey: client, authority: authority)
        } catch { throw StateError("the keys cannot be announced: \(error)") }
        let bytes = statement.json()
        let signature = try signer.detachedSignature(
            of: bytes, for: .keys, at: OpenPGP.Timestamp(now.seconds))
        try checkpoint()
        try statements.add(.init(statement: statement, signed: .init(bytes: bytes, signature: signature)))
        steps.append("statement \(statement.serial) announces it to every agent that asks")
        return statement.serial
    }

    /// The number of a statement that every machine takes for a later one. After a backup was restored they may have followed
    /// some that this server has forgotten; a number far beyond is a machine's fancy.
    private func nextSerial(after last: Int) async throws(StoreError) -> Int {
        let seen = try await store.machines().map(\.serial).filter { $0 < last + 1000 }.max() ?? 0
        return max(last, seen) + 1
    }

    private func serverSecretKey() throws -> OpenPGP.SecretKey {
        guard Files.exists(state.serverSecretKey.path) else {
            throw FleetError(
                .failed,
                "\(state.serverSecretKey.path) is not there, and agents believe nobody else: bring it back for as long as this takes"
            )
        }
        return try secretKey(state.serverSecretKey)
    }

    private func secretKey(_ file: URL) throws -> OpenPGP.SecretKey {
        do {
            return try OpenPGP.SecretKey(PrivateFiles.readSecret(file))
        } catch { throw StateError("\(file.path) is not a secret key: \(error)") }
    }

    /// The key that was made before a cut, or a new one, which is kept first of all.
    private func nextKey(_ file: URL, userID: String) throws -> OpenPGP.SecretKey {
        if Files.exists(file.path) { return try secretKey(file) }
        try checkpoint()
        let key = try OpenPGP.SecretKey.generate(
            userID: userID, at: OpenPGP.Timestamp(now.seconds), validity: nil)
        try PrivateFiles.write(key.armored(), to: file)
        return key
    }

    private func remove(_ file: URL) throws {
        do { try Files.remove(file.path) } catch { throw StateError("\(error)") }
    }
}
