extension OpenPGP {
    /// A primary key and what follows it, not yet looked at.
    struct CertificateGroup {
        let fingerprint: Fingerprint
        var packets: [Packet]
        /// Why it does not end as it should.
        var fault: Error?
        /// Whom revocations of keys among these packets are by, other than the key that they follow.
        var misplacedIssuers: [KeyID] = []

        static func all(in bytes: [UInt8]) throws(Error) -> [CertificateGroup] {
            var groups: [CertificateGroup] = []
            for block in try Armor.blocks(bytes, kind: .publicKey, limit: Certificate.sizeLimit) {
                var reader = PacketReader(block[...])
                do throws(Error) {
                    while let packet = try reader.next() { try add(packet, to: &groups) }
                } catch {
                    // Where the packets cannot be taken apart, what follows may be anything of the last key.
                    if groups.isEmpty || error == .mistake(.secretKey) { throw error }
                    groups[groups.count - 1].fault = error
                }
            }
            return groups
        }

        private static func add(_ packet: Packet, to groups: inout [CertificateGroup]) throws(Error) {
            switch packet.tag {
            case .publicKey:
                groups.append(
                    CertificateGroup(fingerprint: Fingerprint(ofKeyPacket: packet.body), packets: [packet]))
            case .secretKey, .secretSubkey: throw .mistake(.secretKey)
            case .signature where groups.isEmpty: throw .mistake(.signature)
            case _ where packet.tag.mayBeIgnored && groups.isEmpty: break
            default:
                guard let last = groups.indices.last else { throw .unexpectedPacket(packet.tag) }
                groups[last].packets.append(packet)
                if packet.tag == .signature,
                    let signature = try? SignaturePacket(unread: packet.body),
                    signature.type == SignaturePacket.Kind.keyRevocation,
                    !signature.issuers.contains(groups[last].fingerprint.keyID)
                {
                    groups[last].misplacedIssuers += signature.issuers
                }
            }
        }
    }

    /// A certificate while its packets come in, and its self-signatures are verified.
    struct CertificateReader {
        private(set) var primary: ComponentKey
        private(set) var subkeys: [ComponentKey] = []
        private var names: [UserID] = []
        private var subkeyRevocations: [SignaturePacket] = []
        /// What the signatures that follow are about.
        private var subject = Subject.primary
        /// What verifying may still cost; below zero: nothing may.
        private(set) var budget: Int

        private enum Subject {
            case primary, userID, subkey, ignored
        }

        private typealias Kind = SignaturePacket.Kind

        /// Reads the packets of one certificate, of which the first is the primary key.
        init(_ packets: [Packet], budget: Int) throws(Error) {
            guard let first = packets.first else { throw .notExactlyOneKey(found: 0) }
            primary = ComponentKey(key: try PublicKey(first.body))
            self.budget = budget
            for packet in packets.dropFirst() { try take(packet) }
            // A revocation of a subkey holds wherever it stands: each is tried on each subkey.
            for signature in subkeyRevocations {
                for index in subkeys.indices {
                    let subkey = OpenPGP.hashedKey(subkeys[index].key.body)
                    guard (try? verify(signature, about: subkey)) != nil else { continue }
                    subkeys[index].revocations.append(ComponentKey.Revocation(signature))
                }
                guard self.budget >= 0 else { throw .tooCostly }
            }
        }

        /// The names that the key vouches for.
        var userIDs: [String] {
            names.filter { name in
                primary.declarations.contains {
                    $0.name == name.bytes && $0.fault == nil && $0.weakHash == nil && primary.stands($0)
                }
            }.compactMap(\.text)
        }

        private mutating func take(_ packet: Packet) throws(Error) {
            switch packet.tag {
            case .userID, .userAttribute:
                names.append(UserID(packet))
                subject = .userID
            case .publicSubkey:
                subject = .ignored
                do throws(Error) {
                    let key = try PublicKey(packet.body)
                    guard key.fingerprint != primary.key.fingerprint else { return }
                    subkeys.append(ComponentKey(key: key, fault: .noSubkeyBinding(key.fingerprint)))
                    subject = .subkey
                } catch {
                    // One of another version signs nothing here.
                    guard case .unsupportedKeyVersion = error else { throw error }
                }
            case .signature:
                // What cannot be taken apart is no signature, and those by others say nothing, whatever they contain.
                guard let signature = try? SignaturePacket(unread: packet.body),
                    signature.issuers.contains(primary.key.fingerprint.keyID)
                else { return }
                judge(signature)
                guard budget >= 0 else { throw .tooCostly }
            default: guard packet.tag.mayBeIgnored else { throw .unexpectedPacket(packet.tag) }
            }
        }

        /// Takes in what the primary key signed; what is wrong with it is noted at the key in question.
        private mutating func judge(_ signature: SignaturePacket) {
            do throws(Error) {
                try take(signature)
            } catch {
                let fault = error == .badSignature ? .brokenSelfSignature(primary.key.fingerprint) : error
                if signature.type == Kind.subkeyBinding {
                    subkeys[subkeys.count - 1].fault = fault
                } else {
                    primary.fault = fault
                }
            }
        }

        /// By its type (RFC 9580, section 5.2.1) and its place.
        private mutating func take(_ signature: SignaturePacket) throws(Error) {
            let key = primary.key
            switch (signature.type, subject) {
            case (Kind.subkeyRevocation, _): subkeyRevocations.append(signature)
            // It holds wherever it stands: behind all else where it was added to a file.
            case (Kind.keyRevocation, _):
                try verify(signature)
                primary.revocations.append(ComponentKey.Revocation(signature))
            case (Kind.directKey, .primary):
                // One that says nothing of the key's use or end speaks of other things, such as who else may revoke.
                let said = signature.subpackets
                guard said.keyFlags != nil || said.keyValidity != nil || signature.formFault != nil else {
                    return
                }
                try verify(signature)
                primary.add(try ComponentKey.Declaration(signature, key: key, signer: key))
            case (Kind.certificationRevocation, .userID):
                try verify(signature, about: names[names.count - 1].hashed)
                let made = signature.subpackets.creationTime ?? Timestamp(0)
                primary.revoke(name: names[names.count - 1].bytes, at: made)
            case (Kind.certifications, .userID):
                let name = names[names.count - 1]
                try verify(signature, about: name.hashed)
                primary.add(
                    try ComponentKey.Declaration(signature, key: key, signer: key, name: name.bytes))
            case (Kind.subkeyBinding, .subkey):
                let subkey = subkeys[subkeys.count - 1].key
                try verify(signature, about: hashedKey(subkey.body))
                var declaration = try ComponentKey.Declaration(signature, key: subkey, signer: key)
                if declaration.flagsAllowSigning, declaration.weakHash == nil {
                    declaration.signingFault = backSignatureFault(signature, subkey)
                }
                subkeys[subkeys.count - 1].add(declaration)
            default: break
            }
        }

        /// Why no embedded signature shows that the subkey's holder agreed to the binding; nil if one does.
        private mutating func backSignatureFault(_ binding: SignaturePacket, _ subkey: PublicKey) -> Error? {
            var fault = Error.noBackSignature(subkey.fingerprint)
            for body in binding.subpackets.embedded {
                guard let signature = try? SignaturePacket(body), signature.type == Kind.primaryKeyBinding,
                    (try? verify(signature, by: subkey, about: hashedKey(subkey.body))) != nil
                else { continue }
                guard let found = Policy.backSignatureFault(signature, subkey) else { return nil }
                if case .weakSelfSignature = found { fault = found }
            }
            return fault
        }

        /// Throws unless `signature` is the primary key's, or `signer`'s, over the primary key and what it is `about`
        /// (RFC 9580, section 5.2.4), and the budget allows to find out.
        private mutating func verify(
            _ signature: SignaturePacket, by signer: PublicKey? = nil, about: [UInt8] = []
        ) throws(Error) {
            let signer = signer ?? primary.key
            let algorithm = try Policy.digest(ofStatement: signature.hash)
            let hashedBytes = primary.key.body.count + about.count + signature.hashedPart.count
            budget -= signer.verificationCost + hashedBytes / 256
            guard budget >= 0 else { throw .tooCostly }
            let digest = signature.digest(of: hashedKey(primary.key.body) + about, algorithm)
            try OpenPGP.verify(signature, by: signer, digest: digest, hash: algorithm)
        }
    }

    /// A name or a picture, as certifications hash it.
    private struct UserID {
        /// What it is known by.
        let bytes: ArraySlice<UInt8>
        /// The name; nil for a picture.
        let text: String?
        /// RFC 9580, section 5.2.4.
        let hashed: [UInt8]

        init(_ packet: Packet) {
            let isName = packet.tag == .userID
            bytes = [packet.tag.rawValue] + packet.body
            text = isName ? String(decoding: packet.body, as: UTF8.self).escapingControls : nil
            hashed = [isName ? 0xb4 : 0xd1] + bigEndian(packet.body.count) + packet.body
        }
    }

    /// A version 4 key packet's body as signatures hash it (RFC 9580, section 5.2.4).
    static func hashedKey(_ body: ArraySlice<UInt8>) -> [UInt8] {
        [0x99] + bigEndian(body.count).suffix(2) + body
    }
}
