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
        var userIDs = [String]()
        // What the signatures that follow are about.
        var subject = Subject.primary
        var names = [UserID]()
        for packet in packets.dropFirst() {
            switch packet.tag {
            case .userID:
                names.append(UserID(packet.body))
                subject = .userID
            case .publicSubkey:
                let key = try OpenPGP.PublicKey(packet.body)
                subkeys.append(OpenPGP.ComponentKey(key: key, fault: .noSubkeyBinding(key.fingerprint)))
                subject = .subkey
            case .userAttribute: subject = .ignored
            case .signature:
                // A revocation of the key holds wherever it stands: behind all else where it was added to a file.
                switch packet.isKeyRevocation ? .primary : subject {
                case .primary: Self.judge(packet, on: &primary)
                case .userID: Self.judge(packet, on: &names[names.count - 1], by: primary.key)
                case .subkey: Self.judge(packet, on: &subkeys[subkeys.count - 1], by: primary.key)
                case .ignored: break
                }
            case .trust: break
            default: throw .unexpectedPacket(packet.tag)
            }
        }
        for name in names {
            let valid = name.validDeclarations
            for declaration in valid { primary.add(declaration) }
            if !valid.isEmpty { userIDs.append(name.text) }
            if primary.fault == nil { primary.fault = name.fault }
        }
        bytes = packets.flatMap(\.bytes)
        self.userIDs = userIDs
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
        var revocations = [OpenPGP.Packet]()
        var last: OpenPGP.KeyID?
        while let packet = try packets.next() {
            if packet.tag == .publicKey {
                let key = OpenPGP.Fingerprint(ofKeyPacket: packet.body).keyID
                places[key, default: []].append(groups.count)
                last = key
                groups.append([packet])
            } else if packet.tag != .marker {
                guard let last else { throw .unexpectedPacket(packet.tag) }
                if packet.isKeyRevocation, let signature = try? OpenPGP.SignaturePacket(packet.body),
                    !signature.issuers.contains(last)
                {
                    guard revocations.count < packetLimit else {
                        throw .malformedPacket("more than \(packetLimit) revocations of other keys")
                    }
                    revocations.append(packet)
                } else {
                    groups[groups.count - 1].append(packet)
                }
            }
        }
        for packet in revocations {
            guard let signature = try? OpenPGP.SignaturePacket(packet.body) else { continue }
            for place in signature.issuers.flatMap({ places[$0] ?? [] }) { groups[place].append(packet) }
        }
        return groups
    }

    private enum Subject {
        case primary, userID, subkey, ignored
    }

    /// A name, with what the primary key declared in signing for it.
    private struct UserID {
        let body: ArraySlice<UInt8>
        var declarations: [OpenPGP.ComponentKey.Declaration] = []
        var revoked: OpenPGP.Timestamp?
        var fault: OpenPGP.Error?

        init(_ body: ArraySlice<UInt8>) {
            self.body = body
        }

        /// A self-signature outlives a revocation of the name only if it is newer.
        var validDeclarations: [OpenPGP.ComponentKey.Declaration] {
            guard let revoked else { return declarations }
            return declarations.filter { $0.created > revoked }
        }

        var text: String { String(decoding: body, as: UTF8.self).escapingControls }
    }

    // MARK: Judging one signature

    /// Direct-key signatures and revocations of the primary key (RFC 9580, section 5.2.1).
    private static func judge(_ packet: OpenPGP.Packet, on primary: inout OpenPGP.ComponentKey) {
        guard let signature = selfSignature(packet, by: primary.key) else { return }
        do throws(OpenPGP.Error) {
            switch signature.type {
            case Kind.directKey:
                // One without key flags speaks of other things, such as who else may revoke, or only of the key's end.
                let hasFlags = signature.subpackets.keyFlags != nil
                guard hasFlags || signature.subpackets.keyValidity != nil else { return }
                let created = try verified(signature, by: primary.key) { $0.update(keyPrefix(primary.key)) }
                let declaration = OpenPGP.ComponentKey.Declaration(
                    signature, created: created, key: primary.key)
                if hasFlags { primary.add(declaration) } else { primary.addLimit(declaration) }
            case Kind.keyRevocation:
                let created = try verified(signature, by: primary.key, isRevocation: true) {
                    $0.update(keyPrefix(primary.key))
                }
                primary.revocations.append(OpenPGP.ComponentKey.Revocation(signature, created: created))
            default: return
            }
        } catch {
            primary.fault = error
        }
    }

    /// Certifications of a name by its own key, and their revocations.
    private static func judge(_ packet: OpenPGP.Packet, on name: inout UserID, by primary: OpenPGP.PublicKey)
    {
        guard let signature = selfSignature(packet, by: primary) else { return }
        let body = name.body
        func hash(_ digest: borrowing DigestState) {
            digest.update(keyPrefix(primary))
            digest.update([0xb4] + OpenPGP.bigEndian(body.count))
            digest.update(body)
        }
        do throws(OpenPGP.Error) {
            if Kind.certifications.contains(signature.type) {
                let created = try verified(signature, by: primary, hash)
                name.declarations.append(
                    OpenPGP.ComponentKey.Declaration(signature, created: created, key: primary))
            } else if signature.type == Kind.certificationRevocation {
                let created = try verified(signature, by: primary, isRevocation: true, hash)
                name.revoked = max(created, name.revoked ?? created)
            }
        } catch {
            name.fault = error
        }
    }

    /// Bindings and revocations of a subkey.
    private static func judge(
        _ packet: OpenPGP.Packet, on subkey: inout OpenPGP.ComponentKey, by primary: OpenPGP.PublicKey
    ) {
        guard let signature = selfSignature(packet, by: primary) else { return }
        let key = subkey.key
        func hash(_ digest: borrowing DigestState) {
            digest.update(keyPrefix(primary))
            digest.update(keyPrefix(key))
        }
        do throws(OpenPGP.Error) {
            switch signature.type {
            case Kind.subkeyBinding:
                let created = try verified(signature, by: primary, hash)
                var declaration = OpenPGP.ComponentKey.Declaration(signature, created: created, key: key)
                if declaration.maySign { declaration.signingFault = backSignatureFault(signature, key, hash) }
                subkey.add(declaration)
            case Kind.subkeyRevocation:
                let created = try verified(signature, by: primary, isRevocation: true, hash)
                subkey.revocations.append(OpenPGP.ComponentKey.Revocation(signature, created: created))
            default: return
            }
        } catch {
            subkey.fault = error
        }
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
                _ = try verified(signature, by: subkey, hash)
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
        // A malformed signature in a certificate is no signature.
        guard let signature = try? OpenPGP.SignaturePacket(packet.body),
            signature.issuers.contains(primary.fingerprint.keyID)
        else { return nil }
        return signature
    }

    /// The creation time of `signature`, after it was found to be `key`'s over what `hash` feeds to the digest.
    private static func verified(
        _ signature: OpenPGP.SignaturePacket, by key: OpenPGP.PublicKey, isRevocation: Bool = false,
        _ hash: (borrowing DigestState) -> Void
    ) throws(OpenPGP.Error) -> OpenPGP.Timestamp {
        let created = try signature.checkForm()
        let algorithm =
            try isRevocation ? signature.hash.digestForRevocation() : signature.hash.trusted().digest
        let digest = DigestState(algorithm)
        hash(digest)
        try key.verify(signature, digest: signature.finish(digest), hash: algorithm)
        return created
    }

    /// What a signature over a key hashes of it (RFC 9580, section 5.2.4).
    private static func keyPrefix(_ key: OpenPGP.PublicKey) -> [UInt8] {
        OpenPGP.hashedKey(key.body)
    }
}

extension OpenPGP.Packet {
    /// Whether this is a version 4 signature that revokes a primary key (RFC 9580, section 5.2.1.11).
    fileprivate var isKeyRevocation: Bool {
        tag == .signature && body.starts(with: [4, OpenPGP.SignaturePacket.Kind.keyRevocation])
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
