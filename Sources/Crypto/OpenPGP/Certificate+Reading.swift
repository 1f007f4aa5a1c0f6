extension OpenPGP.Certificate {
    /// The certificates in a file, and why others in it are none.
    struct Contents {
        var certificates: [OpenPGP.Certificate] = []
        var faults: [OpenPGP.Error] = []

        /// Reads all certificates in `bytes`. One that cannot be read, or is of another version, does not spoil the others;
        /// but what may belong to a good one, such as another copy of it or its revocation, is never passed over.
        init(_ bytes: [UInt8]) throws(OpenPGP.Error) {
            let groups = try Group.all(in: bytes)
            var budget = OpenPGP.Policy.fileCost
            let keys = Dictionary(groups.map { ($0.fingerprint.keyID, $0.fingerprint) }) { first, _ in first }
            var spoiled: [OpenPGP.KeyID: OpenPGP.Error] = [:]
            for group in groups {
                for id in group.misplacedIssuers {
                    if let key = keys[id] { spoiled[id] = .misplacedRevocation(key) }
                }
                do throws(OpenPGP.Error) {
                    if let fault = group.fault { throw fault }
                    certificates.append(try OpenPGP.Certificate(packets: group.packets, budget: &budget))
                } catch {
                    if error == .tooCostly { throw error }
                    spoiled[group.fingerprint.keyID] = error
                    faults.append(error)
                }
            }
            certificates.removeAll { certificate in
                guard let fault = spoiled[certificate.fingerprint.keyID] else { return false }
                faults.append(fault)
                return true
            }
        }
    }

    /// A primary key and what follows it, not yet looked at.
    private struct Group {
        let fingerprint: OpenPGP.Fingerprint
        var packets: [OpenPGP.Packet]
        /// Why it does not end as it should.
        var fault: OpenPGP.Error?
        /// Whom revocations of keys among these packets are by, other than the key that they follow.
        var misplacedIssuers: [OpenPGP.KeyID] = []

        static func all(in bytes: [UInt8]) throws(OpenPGP.Error) -> [Group] {
            var groups: [Group] = []
            for block in try OpenPGP.Armor.blocks(bytes, kind: .publicKey, limit: sizeLimit) {
                var reader = OpenPGP.PacketReader(block[...])
                do throws(OpenPGP.Error) {
                    while let packet = try reader.next() { try add(packet, to: &groups) }
                } catch {
                    // Where the packets cannot be taken apart, what follows may be anything of the last key.
                    if groups.isEmpty || error == .mistake(.secretKey) { throw error }
                    groups[groups.count - 1].fault = error
                }
            }
            return groups
        }

        private static func add(
            _ packet: OpenPGP.Packet, to groups: inout [Group]
        ) throws(OpenPGP.Error) {
            switch packet.tag {
            case .publicKey:
                groups.append(
                    Group(fingerprint: OpenPGP.Fingerprint(ofKeyPacket: packet.body), packets: [packet]))
            case .secretKey, .secretSubkey: throw .mistake(.secretKey)
            case .signature where groups.isEmpty: throw .mistake(.signature)
            case _ where packet.tag.mayBeIgnored && groups.isEmpty: break
            default:
                guard let last = groups.indices.last else { throw .unexpectedPacket(packet.tag) }
                groups[last].packets.append(packet)
                if packet.isSignature(Kind.keyRevocation),
                    let issuers = try? OpenPGP.SignaturePacket(unread: packet.body).issuers,
                    !issuers.contains(groups[last].fingerprint.keyID)
                {
                    groups[last].misplacedIssuers += issuers
                }
            }
        }
    }

    private typealias Kind = OpenPGP.SignaturePacket.Kind

    /// Reads the packets of one certificate, of which the first is the primary key, and verifies its self-signatures.
    ///
    /// - Parameter budget: what the file may still cost; what this one does is taken off.
    init(packets: [OpenPGP.Packet], budget: inout Int) throws(OpenPGP.Error) {
        guard let first = packets.first else { throw .notExactlyOneKey(found: 0) }
        let allowed = min(budget, OpenPGP.Policy.certificateCost)
        var reading = Reading(primary: .init(key: try OpenPGP.PublicKey(first.body)), budget: allowed)
        for packet in packets.dropFirst() { try reading.take(packet) }
        try reading.finish()
        budget -= allowed - reading.budget
        userIDs = reading.userIDs
        bytes = packets.flatMap(\.bytes)
        primary = reading.primary
        subkeys = reading.subkeys
    }

    /// A name or a picture, as certifications hash it.
    private struct UserID {
        /// What it is known by.
        let bytes: ArraySlice<UInt8>
        /// The name; nil for a picture.
        let text: String?
        /// RFC 9580, section 5.2.4.
        let hashed: [UInt8]

        init(_ packet: OpenPGP.Packet) {
            let isName = packet.tag == .userID
            bytes = [packet.tag.rawValue] + packet.body
            text = isName ? String(decoding: packet.body, as: UTF8.self).escapingControls : nil
            hashed = [isName ? 0xb4 : 0xd1] + OpenPGP.bigEndian(packet.body.count) + packet.body
        }
    }

    /// A certificate while its packets come in.
    private struct Reading {
        var primary: OpenPGP.ComponentKey
        var subkeys: [OpenPGP.ComponentKey] = []
        private var names: [UserID] = []
        private var subkeyRevocations: [OpenPGP.SignaturePacket] = []
        /// What the signatures that follow are about.
        private var subject = Subject.primary
        /// What verifying may still cost; below zero: nothing may.
        var budget: Int

        private enum Subject {
            case primary, userID, subkey, ignored
        }

        init(primary: OpenPGP.ComponentKey, budget: Int) {
            self.primary = primary
            self.budget = budget
        }

        /// The names that the key vouches for.
        var userIDs: [String] {
            names.filter { name in
                primary.declarations.contains {
                    $0.name == name.bytes && $0.fault == nil && $0.weakHash == nil && primary.stands($0)
                }
            }.compactMap(\.text)
        }

        mutating func take(_ packet: OpenPGP.Packet) throws(OpenPGP.Error) {
            switch packet.tag {
            case .userID, .userAttribute:
                names.append(UserID(packet))
                subject = .userID
            case .publicSubkey:
                subject = .ignored
                guard let key = try Self.subkey(packet), key.fingerprint != primary.key.fingerprint else {
                    return
                }
                subkeys.append(OpenPGP.ComponentKey(key: key, fault: .noSubkeyBinding(key.fingerprint)))
                subject = .subkey
            case .signature:
                // What cannot be taken apart is no signature, and those by others say nothing, whatever they contain.
                guard let signature = try? OpenPGP.SignaturePacket(unread: packet.body),
                    signature.issuers.contains(primary.key.fingerprint.keyID)
                else { return }
                judge(signature)
                guard budget >= 0 else { throw .tooCostly }
            default: guard packet.tag.mayBeIgnored else { throw .unexpectedPacket(packet.tag) }
            }
        }

        /// A revocation of a subkey holds wherever it stands: each is tried on each subkey.
        mutating func finish() throws(OpenPGP.Error) {
            for signature in subkeyRevocations {
                for index in subkeys.indices where (try? verify(signature, about: subkeys[index].key)) != nil
                {
                    subkeys[index].revocations.append(OpenPGP.ComponentKey.Revocation(signature))
                }
                guard budget >= 0 else { throw .tooCostly }
            }
        }

        /// The key of a subkey packet; nil where its version is none that is read here, so that it signs nothing.
        private static func subkey(_ packet: OpenPGP.Packet) throws(OpenPGP.Error) -> OpenPGP.PublicKey? {
            do throws(OpenPGP.Error) {
                return try OpenPGP.PublicKey(packet.body)
            } catch {
                guard case .unsupportedKeyVersion = error else { throw error }
                return nil
            }
        }

        /// Takes in what the primary key signed, by its type (RFC 9580, section 5.2.1) and its place.
        private mutating func judge(_ signature: OpenPGP.SignaturePacket) {
            switch (signature.type, subject) {
            case (Kind.subkeyRevocation, _): subkeyRevocations.append(signature)
            // It holds wherever it stands: behind all else where it was added to a file.
            case (Kind.keyRevocation, _):
                attempt(on: \.primary) { reading throws(OpenPGP.Error) in
                    try reading.verify(signature)
                    reading.primary.revocations.append(OpenPGP.ComponentKey.Revocation(signature))
                }
            case (Kind.directKey, .primary):
                // One that says nothing of the key's use or end speaks of other things, such as who else may revoke.
                let subpackets = signature.subpackets
                guard
                    subpackets.keyFlags != nil || subpackets.keyValidity != nil || signature.formFault != nil
                else { return }
                attempt(on: \.primary) { reading throws(OpenPGP.Error) in
                    try reading.verify(signature)
                    let key = reading.primary.key
                    reading.primary.add(
                        try OpenPGP.ComponentKey.Declaration(signature, key: key, signer: key))
                }
            case (Kind.certifications, .userID), (Kind.certificationRevocation, .userID):
                let name = names[names.count - 1]
                attempt(on: \.primary) { reading throws(OpenPGP.Error) in
                    try reading.verify(signature, about: name.hashed)
                    let key = reading.primary.key
                    if signature.type == Kind.certificationRevocation {
                        let made = signature.subpackets.creationTime ?? OpenPGP.Timestamp(0)
                        reading.primary.revoke(name: name.bytes, at: made)
                    } else {
                        reading.primary.add(
                            try OpenPGP.ComponentKey.Declaration(
                                signature, key: key, signer: key, name: name.bytes))
                    }
                }
            case (Kind.subkeyBinding, .subkey):
                let last = subkeys.count - 1
                attempt(on: \.subkeys[last]) { reading throws(OpenPGP.Error) in
                    let key = reading.subkeys[last].key
                    try reading.verify(signature, about: key)
                    var declaration = try OpenPGP.ComponentKey.Declaration(
                        signature, key: key, signer: reading.primary.key)
                    if declaration.flagsAllowSigning, declaration.weakHash == nil {
                        declaration.signingFault = reading.backSignatureFault(signature, key)
                    }
                    reading.subkeys[last].add(declaration)
                }
            default: break
            }
        }

        /// Runs `body`; why it failed is noted at the key in question.
        private mutating func attempt(
            on place: WritableKeyPath<Reading, OpenPGP.ComponentKey>,
            _ body: (inout Reading) throws(OpenPGP.Error) -> Void
        ) {
            do throws(OpenPGP.Error) {
                try body(&self)
            } catch {
                let signer = primary.key.fingerprint
                self[keyPath: place].fault = error == .badSignature ? .brokenSelfSignature(signer) : error
            }
        }

        /// Why no embedded signature shows that the subkey's holder agreed to the binding; nil if one does.
        private mutating func backSignatureFault(
            _ binding: OpenPGP.SignaturePacket, _ subkey: OpenPGP.PublicKey
        ) -> OpenPGP.Error? {
            var fault = OpenPGP.Error.noBackSignature(subkey.fingerprint)
            for body in binding.subpackets.embedded {
                guard let signature = try? OpenPGP.SignaturePacket(body),
                    signature.type == Kind.primaryKeyBinding,
                    (try? verify(signature, by: subkey, about: OpenPGP.hashedKey(subkey.body))) != nil
                else { continue }
                guard let found = OpenPGP.Policy.backSignatureFault(signature, subkey) else { return nil }
                if case .weakSelfSignature = found { fault = found }
            }
            return fault
        }

        private mutating func verify(
            _ signature: OpenPGP.SignaturePacket, about subkey: OpenPGP.PublicKey
        ) throws(OpenPGP.Error) {
            try verify(signature, about: OpenPGP.hashedKey(subkey.body))
        }

        /// Throws unless `signature` is the primary key's, or `signer`'s, over the primary key and what it is `about`
        /// (RFC 9580, section 5.2.4), and the budget allows to find out.
        private mutating func verify(
            _ signature: OpenPGP.SignaturePacket, by signer: OpenPGP.PublicKey? = nil, about: [UInt8] = []
        ) throws(OpenPGP.Error) {
            let signer = signer ?? primary.key
            let algorithm = try OpenPGP.Policy.digest(ofStatement: signature.hash)
            let hashedBytes = primary.key.body.count + about.count + signature.hashedPart.count
            budget -= signer.verificationCost + hashedBytes / 256
            guard budget >= 0 else { throw .tooCostly }
            let digest = DigestState(algorithm)
            digest.update(OpenPGP.hashedKey(primary.key.body))
            digest.update(about)
            try signer.verify(signature, digest: signature.finish(digest), hash: algorithm)
        }
    }
}

extension OpenPGP.Packet {
    /// Whether this is a version 4 signature of that type (RFC 9580, section 5.2.1).
    fileprivate func isSignature(_ type: UInt8) -> Bool {
        tag == .signature && body.starts(with: [4, type])
    }
}

extension OpenPGP {
    /// A version 4 key packet's body as signatures hash it (RFC 9580, section 5.2.4).
    static func hashedKey(_ body: ArraySlice<UInt8>) -> [UInt8] {
        [0x99, UInt8(truncatingIfNeeded: body.count >> 8), UInt8(truncatingIfNeeded: body.count)] + body
    }
}

extension String {
    /// This text with control characters, and those that reverse the direction of writing, as `\u{…}`, so that a
    /// name cannot act on a terminal or hide what it says.
    package var escapingControls: String {
        var result = ""
        for scalar in unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .unassigned, .privateUse, .surrogate:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
