import PDCrypto
import PDDocument
import PDProtocol
import PDSecrets
import PDStore

/// What a fleet knows of the keys of one host's machine.
package struct Machine: Sendable, Equatable {
    /// Keys that ask to be the host's.
    package struct Claim: Sendable, Equatable {
        package let keys: MachineKeys
        /// When they asked first, in milliseconds since 1970-01-01 UTC.
        package let at: Int64
        /// From which address.
        package let peer: String?
    }

    /// How many claims are kept: whoever makes up more pushes out no earlier one.
    static let maximumClaims = 8

    package let hostname: Hostname
    /// The host's keys; nothing before any were registered.
    package var keys: MachineKeys?
    /// Since when they are, in milliseconds since 1970-01-01 UTC.
    package var registeredAt: Int64?
    /// Whether the machine is in the wrong hands.
    package var isLost = false
    /// The client key that was sent to it last.
    package var sentKey: OpenPGP.Fingerprint?
    /// The server's key that it knows, and the last statement that it followed.
    package var serverKey: OpenPGP.Fingerprint?
    package var serial = 0
    /// What waits for an administrator.
    package var claims: [Claim] = []

    package init(_ hostname: Hostname) {
        self.hostname = hostname
    }

    /// Reads a record; what cannot be read of it is as if it were not there. Nothing where its name is none of a host.
    package init?(_ record: StoredRecord) {
        guard let hostname = Hostname(record.id) else { return nil }
        self.hostname = hostname
        let document = record.document
        keys = Self.keys(document)
        registeredAt = document["registered_at"]?.milliseconds
        isLost = document["lost"]?.bool ?? false
        sentKey = document["sent_key"]?.string.flatMap { OpenPGP.Fingerprint(hex: $0) }
        serverKey = document["server_key"]?.string.flatMap { OpenPGP.Fingerprint(hex: $0) }
        serial = document["serial"]?.integer ?? 0
        claims = (document["claims"]?.array ?? []).compactMap { value in
            guard let fields = value.document, let keys = Self.keys(fields) else { return nil }
            return Claim(
                keys: keys, at: fields["asked_at"]?.milliseconds ?? 0, peer: fields["peer"]?.string)
        }
    }

    private static func keys(_ document: Document) -> MachineKeys? {
        guard let signing = document["signing_key"]?.string.flatMap({ BaseN.hexadecimal.decode($0.utf8) }),
            let sealing = document["sealing_key"]?.string.flatMap({ BaseN.hexadecimal.decode($0.utf8) }),
            let signing = try? Curve25519.Signing.PublicKey(rawRepresentation: signing),
            let sealing = try? Curve25519.KeyAgreement.PublicKey(rawRepresentation: sealing)
        else { return nil }
        return MachineKeys(signing: signing, sealing: sealing)
    }

    /// The record that it is kept in.
    package var record: StoredRecord {
        var writer = DocumentWriter()
        if let keys { Self.append(keys, to: &writer) }
        if let registeredAt { writer.append("registered_at", .date(milliseconds: registeredAt)) }
        if isLost { writer.append("lost", .bool(true)) }
        if let sentKey { writer.append("sent_key", .string("\(sentKey)")) }
        if let serverKey { writer.append("server_key", .string("\(serverKey)")) }
        writer.append("serial", .int(serial))
        if !claims.isEmpty {
            writer.append(
                "claims",
                .array(
                    claims.map { claim in
                        var writer = DocumentWriter()
                        Self.append(claim.keys, to: &writer)
                        writer.append("asked_at", .date(milliseconds: claim.at))
                        if let peer = claim.peer { writer.append("peer", .string(peer)) }
                        return .document(writer.finish())
                    }))
        }
        return StoredRecord(id: hostname.name, document: writer.finish())
    }

    private static func append(_ keys: MachineKeys, to writer: inout DocumentWriter) {
        writer.append("signing_key", .string(BaseN.hexadecimal.text(keys.signing.rawRepresentation)))
        writer.append("sealing_key", .string(BaseN.hexadecimal.text(keys.sealing.rawRepresentation)))
    }
}

extension RecordStore {
    /// What is known of a host's machine.
    package func machine(_ hostname: Hostname) async throws(StoreError) -> Machine {
        try await record(.machines, hostname.name).flatMap { Machine($0) } ?? Machine(hostname)
    }

    /// All machines of which something is known, by hostname.
    package func machines() async throws(StoreError) -> [Machine] {
        try await records(.machines).compactMap { Machine($0) }
    }
}

extension Fleet {
    /// Lets keys that wait be those of their host. What the host was before counts no longer: also a machine that was lost
    /// has a successor now.
    ///
    /// - Parameters:
    ///   - fingerprint: the beginning of ``MachineKeys/fingerprint``, where more than one waits.
    ///   - now: milliseconds since 1970-01-01 UTC.
    /// - Returns: the keys.
    /// - Throws: ``FleetError`` where none waits, or more than one does.
    package func approve(
        _ hostname: Hostname, fingerprint: String?, at now: Int64
    ) async throws -> MachineKeys {
        var machine = try await store.machine(hostname)
        let claims = machine.claims.filter {
            fingerprint.map($0.keys.fingerprint.hasPrefix) ?? true
        }
        guard let claim = claims.first else {
            throw FleetError(.failed, "no key waits for \(hostname): see pd-admin hosts waiting")
        }
        guard claims.count == 1 else {
            let names = claims.map(\.keys.fingerprint).joined(separator: ", ")
            throw FleetError(
                .usage,
                "\(claims.count) machines call themselves \(hostname): name with --key the one that pd-agent status shows there: \(names)"
            )
        }
        machine.keys = claim.keys
        machine.registeredAt = now
        machine.isLost = false
        machine.sentKey = nil
        machine.claims = []
        try await store.apply(records: [.put(.machines, machine.record)])
        return claim.keys
    }
}
