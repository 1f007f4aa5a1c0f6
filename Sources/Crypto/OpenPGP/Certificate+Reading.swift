extension OpenPGP.Certificate {
    private typealias Kind = OpenPGP.SignaturePacket.Kind

    /// Reads the packets of one certificate, of which the first is the primary key, and judges its self-signatures.
    init(packets: [OpenPGP.Packet]) throws(OpenPGP.Error) {
        guard let first = packets.first else { throw .notExactlyOneKey(found: 0) }
        guard packets.count <= Self.packetLimit else {
            throw .malformedPacket("more than \(Self.packetLimit) packets in a certificate")
        }
        var primary = OpenPGP.ComponentKey(key: try OpenPGP.PublicKey(first.body))
        var subkeys = [OpenPGP.ComponentKey]()
        var names = [UserID]()
        var subkeyRevocations = [OpenPGP.Packet]()
        // What the signatures that follow are about.
        var subject = Subject.primary
        for packet in packets.dropFirst() {
            switch packet.tag {
            case .userID, .userAttribute:
                names.append(UserID(packet))
                subject = .userID
            case .publicSubkey:
                subject = .ignored
                guard let key = try Self.subkey(packet), key.fingerprint != primary.key.fingerprint else {
                    continue
                }
                subkeys.append(OpenPGP.ComponentKey(key: key, fault: .noSubkeyBinding(key.fingerprint)))
                subject = .subkey
            case .signature where packet.isSignature(Kind.subkeyRevocation): subkeyRevocations.append(packet)
            case .signature:
                // A revocation of the key holds wherever it stands: behind all else where it was added to a file.
                switch packet.isSignature(Kind.keyRevocation) ? .primary : subject {
                case .primary: Self.judge(packet, on: &primary)
                case .userID: Self.judge(packet, on: &names[names.count - 1], by: primary.key)
                case .subkey: Self.judge(packet, on: &subkeys[subkeys.count - 1], by: primary.key)
                case .ignored: break
                }
            default: guard packet.tag.mayBeIgnored else { throw .unexpectedPacket(packet.tag) }
            }
        }
        // One of a subkey as well.
        for packet in subkeyRevocations {
            for index in subkeys.indices { Self.revoke(&subkeys[index], by: primary.key, packet) }
        }
        for name in names {
            for declaration in name.declarations { primary.add(declaration) }
            if let time = name.revoked { primary.revoke(name: name.bytes, at: time) }
            if primary.fault == nil { primary.fault = name.fault }
        }
        userIDs = names.filter { name in
            name.declarations.contains { $0.fault == nil && primary.stands($0) }
        }.compactMap(\.text)
        bytes = packets.flatMap(\.bytes)
        self.primary = primary
        self.subkeys = subkeys
    }

    /// The packets of each certificate in `packets`: a primary key and what follows it.
    ///
    /// A revocation of another key than the one it follows is moved to that key, so that files with keys and
    /// revocations can be put together in any order of the keys.
    static func grouped(_ packets: inout OpenPGP.PacketReader) throws(OpenPGP.Error) -> [[OpenPGP.Packet]] {
        var groups = [[OpenPGP.Packet]]()
        var places = [OpenPGP.KeyID: [Int]]()
        var revocations = [(packet: OpenPGP.Packet, issuers: [OpenPGP.KeyID])]()
        var last: OpenPGP.KeyID?
        var verifications = 0
        func count(_ more: Int) throws(OpenPGP.Error) {
            verifications += more
            guard verifications <= selfSignatureLimit else {
                throw .malformedPacket("more than \(selfSignatureLimit) self-signatures in one file")
            }
        }
        while let packet = try packets.next() {
            if packet.tag == .publicKey {
                let key = OpenPGP.Fingerprint(ofKeyPacket: packet.body).keyID
                places[key, default: []].append(groups.count)
                last = key
                groups.append([packet])
            } else if packet.tag != .marker {
                guard let last else { throw .unexpectedPacket(packet.tag) }
                // What cannot be taken apart names nobody, and stays where it is.
                let issuers =
                    packet.tag == .signature
                    ? (try? OpenPGP.SignaturePacket(unread: packet.body))?.issuers : nil
                let isOwn = issuers?.contains(last) ?? false
                if isOwn { try count(1) }
                if let issuers, !isOwn, packet.isSignature(Kind.keyRevocation) {
                    guard revocations.count < packetLimit else {
                        throw .malformedPacket("more than \(packetLimit) revocations of other keys")
                    }
                    revocations.append((packet, issuers))
                } else {
                    groups[groups.count - 1].append(packet)
                }
            }
        }
        for (packet, issuers) in revocations {
            for place in issuers.flatMap({ places[$0] ?? [] }) {
                try count(1)
                groups[place].append(packet)
            }
        }
        // Each revocation of a subkey is tried on each subkey.
        for group in groups {
            let subkeys = group.count { $0.tag == .publicSubkey }
            try count(subkeys * group.count { $0.isSignature(Kind.subkeyRevocation) })
        }
        return groups
    }

    private enum Subject {
        case primary, userID, subkey, ignored
    }

    /// A name or a picture, with what the primary key declared in signing for it.
    private struct UserID {
        private let packet: OpenPGP.Packet
        var declarations: [OpenPGP.ComponentKey.Declaration] = []
        var revoked: OpenPGP.Timestamp?
        var fault: OpenPGP.Error?

        init(_ packet: OpenPGP.Packet) {
            self.packet = packet
        }

        /// What it is known by.
        var bytes: ArraySlice<UInt8> { [packet.tag.rawValue] + packet.body }

        /// The name; nil for a picture.
        var text: String? {
            packet.tag == .userID ? String(decoding: packet.body, as: UTF8.self).escapingControls : nil
        }

        /// What a certification hashes of it (RFC 9580, section 5.2.4).
        func hash(into digest: borrowing DigestState) {
            digest.update([packet.tag == .userID ? 0xb4 : 0xd1] + OpenPGP.bigEndian(packet.body.count))
            digest.update(packet.body)
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

    // MARK: Judging one signature

    /// Direct-key signatures and revocations of the primary key (RFC 9580, section 5.2.1).
    private static func judge(_ packet: OpenPGP.Packet, on primary: inout OpenPGP.ComponentKey) {
        guard let signature = selfSignature(packet, by: primary.key) else { return }
        do throws(OpenPGP.Error) {
            switch signature.type {
            case Kind.directKey:
                // One that says nothing of the key's use or end speaks of other things, such as who else may revoke.
                guard
                    signature.subpackets.keyFlags != nil || signature.subpackets.keyValidity != nil
                        || signature.formFault != nil
                else { return }
                let statement = try verified(signature, by: primary.key) { $0.update(keyPrefix(primary.key)) }
                primary.addDirect(OpenPGP.ComponentKey.Declaration(signature, statement, key: primary.key))
            case Kind.keyRevocation:
                let statement = try verified(signature, by: primary.key, isRevocation: true) {
                    $0.update(keyPrefix(primary.key))
                }
                primary.revocations.append(OpenPGP.ComponentKey.Revocation(signature, statement))
            default: return
            }
        } catch {
            primary.fault = error
        }
    }

    /// Certifications of a name by its own key, and their revocations.
    private static func judge(_ packet: OpenPGP.Packet, on name: inout UserID, by primary: OpenPGP.PublicKey)
    {
        guard let signature = selfSignature(packet, by: primary),
            Kind.certifications.contains(signature.type) || signature.type == Kind.certificationRevocation
        else { return }
        do throws(OpenPGP.Error) {
            let signed = name
            let isRevocation = signature.type == Kind.certificationRevocation
            let statement = try verified(signature, by: primary, isRevocation: isRevocation) { digest in
                digest.update(keyPrefix(primary))
                signed.hash(into: digest)
            }
            if isRevocation {
                name.revoked = max(statement.created, name.revoked ?? statement.created)
            } else {
                name.declarations.append(
                    OpenPGP.ComponentKey.Declaration(signature, statement, key: primary, name: name.bytes))
            }
        } catch {
            name.fault = error
        }
    }

    /// Bindings of a subkey.
    private static func judge(
        _ packet: OpenPGP.Packet, on subkey: inout OpenPGP.ComponentKey, by primary: OpenPGP.PublicKey
    ) {
        guard let signature = selfSignature(packet, by: primary), signature.type == Kind.subkeyBinding else {
            return
        }
        let key = subkey.key
        func hash(_ digest: borrowing DigestState) {
            digest.update(keyPrefix(primary))
            digest.update(keyPrefix(key))
        }
        do throws(OpenPGP.Error) {
            let statement = try verified(signature, by: primary, hash)
            var declaration = OpenPGP.ComponentKey.Declaration(signature, statement, key: key)
            if declaration.flagsAllowSigning {
                declaration.signingFault = backSignatureFault(signature, key, hash)
            }
            subkey.add(declaration)
        } catch {
            subkey.fault = error
        }
    }

    /// Adds the revocation in `packet`, if it is one of this subkey; else it is one of another.
    private static func revoke(
        _ subkey: inout OpenPGP.ComponentKey, by primary: OpenPGP.PublicKey, _ packet: OpenPGP.Packet
    ) {
        let key = subkey.key
        guard let signature = selfSignature(packet, by: primary),
            let statement = try? verified(
                signature, by: primary, isRevocation: true,
                {
                    $0.update(keyPrefix(primary))
                    $0.update(keyPrefix(key))
                })
        else { return }
        subkey.revocations.append(OpenPGP.ComponentKey.Revocation(signature, statement))
    }

    /// Why no embedded signature shows that the subkey's holder agreed to the binding; nil if one does.
    private static func backSignatureFault(
        _ binding: OpenPGP.SignaturePacket, _ subkey: OpenPGP.PublicKey,
        _ hash: (borrowing DigestState) -> Void
    ) -> OpenPGP.Error? {
        var fault = OpenPGP.Error.noBackSignature(subkey.fingerprint)
        for body in binding.subpackets.embedded {
            do throws(OpenPGP.Error) {
                let signature = try OpenPGP.SignaturePacket(body)
                guard signature.type == Kind.primaryKeyBinding else { continue }
                let statement = try verified(signature, by: subkey, hash)
                if let fault = statement.fault { throw fault }
                // One that ends would need watching; nobody makes them.
                if let end = signature.expirationTime { throw .signatureExpired(end) }
                return nil
            } catch {
                if case .weakHash = error { fault = error }
            }
        }
        return fault
    }

    /// The signature in `packet` if it is one that names `primary` as its maker, and of a version that is read here.
    /// Signatures by others say nothing here, whatever they contain.
    private static func selfSignature(
        _ packet: OpenPGP.Packet, by primary: OpenPGP.PublicKey
    ) -> OpenPGP.SignaturePacket? {
        // What cannot be taken apart into fields and numbers is no signature.
        guard let signature = try? OpenPGP.SignaturePacket(unread: packet.body),
            signature.issuers.contains(primary.fingerprint.keyID)
        else { return nil }
        return signature
    }

    /// The statement of `signature`, after it was found to be `key`'s over what `hash` feeds to the digest.
    ///
    /// - Parameter isRevocation: whether one without a date counts all the same, as from the beginning.
    private static func verified(
        _ signature: OpenPGP.SignaturePacket, by key: OpenPGP.PublicKey, isRevocation: Bool = false,
        _ hash: (borrowing DigestState) -> Void
    ) throws(OpenPGP.Error) -> OpenPGP.ComponentKey.Statement {
        let algorithm = try signature.hash.digestForStatement()
        let digest = DigestState(algorithm)
        hash(digest)
        try key.verify(signature, digest: signature.finish(digest), hash: algorithm)
        var fault = signature.formFault
        guard let created = signature.subpackets.creationTime else {
            guard isRevocation else { throw .missingCreationTime }
            return OpenPGP.ComponentKey.Statement(created: .init(0), fault: fault ?? .missingCreationTime)
        }
        if fault == nil, created < key.creationTime { fault = .signatureOlderThanKey(key.fingerprint) }
        if fault == nil, case .weak(_, let name) = signature.hash { fault = .weakHash(name) }
        return OpenPGP.ComponentKey.Statement(created: created, fault: fault)
    }

    /// What a signature over a key hashes of it (RFC 9580, section 5.2.4).
    private static func keyPrefix(_ key: OpenPGP.PublicKey) -> [UInt8] {
        OpenPGP.hashedKey(key.body)
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
