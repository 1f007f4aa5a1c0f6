extension OpenPGP {
    /// A version 4 signature packet (RFC 9580, section 5.2.3), taken apart but not yet judged.
    struct SignaturePacket {
        enum Kind {
            static let binary: UInt8 = 0x00
            static let certifications: ClosedRange<UInt8> = 0x10...0x13
            static let subkeyBinding: UInt8 = 0x18
            static let primaryKeyBinding: UInt8 = 0x19
            static let directKey: UInt8 = 0x1f
            static let keyRevocation: UInt8 = 0x20
            static let subkeyRevocation: UInt8 = 0x28
            static let certificationRevocation: UInt8 = 0x30
        }

        let type: UInt8
        let algorithm: UInt8
        let hash: StatedHash
        /// From the version to the end of the hashed subpackets: what is hashed after the document.
        let hashedPart: ArraySlice<UInt8>
        let subpackets: Subpackets
        /// The algorithm-specific fields at the end.
        let value: ArraySlice<UInt8>

        /// A signature whose subpackets are well-formed too.
        init(_ body: ArraySlice<UInt8>) throws(Error) {
            try self.init(unread: body)
            if let fault = subpackets.fault { throw fault }
        }

        /// A signature of which as much is known as can be read of its subpackets: for statements about a key, which
        /// do not go away by being hard to read.
        init(unread body: ArraySlice<UInt8>) throws(Error) {
            var reader = ByteReader(body)
            let version = try reader.byte()
            guard version == 4 else { throw .unsupportedSignatureVersion(version) }
            type = try reader.byte()
            algorithm = try reader.byte()
            hash = try StatedHash(reader.byte())
            let hashed = try reader.bytes(reader.uint16())
            hashedPart = body[body.startIndex..<hashed.endIndex]
            let unhashed = try reader.bytes(reader.uint16())
            subpackets = Subpackets(hashed: hashed, unhashed: unhashed)
            // The first 16 bits of the digest save gpg some work; they protect nothing, and are not compared.
            _ = try reader.bytes(2)
            value = reader.rest
        }

        /// The keys that the signature may be by: hints, in the order in which they are to be tried.
        var issuers: [KeyID] { subpackets.issuers }

        /// Appends what this signature hashes after the signed thing (RFC 9580, section 5.2.4), and gives the digest.
        func finish(_ digest: consuming DigestState) -> [UInt8] {
            digest.update(hashedPart)
            digest.update([4, 0xff] + bigEndian(hashedPart.count))
            return digest.digest()
        }

        /// The digest of `document` and of what this signature hashes after it.
        func digest(of document: some Collection<UInt8>, _ algorithm: DigestState.Algorithm) -> [UInt8] {
            DigestState.hash(document, hashedPart, [4, 0xff] + bigEndian(hashedPart.count), algorithm)
        }

        /// Why what the signature says about itself cannot be understood, nil if it can.
        var formFault: Error? {
            subpackets.fault ?? subpackets.unknownCritical.map { .unknownCriticalSubpacket($0) }
        }

        /// When the signature ends by its own words, nil if never.
        var expirationTime: Timestamp? {
            guard let created = subpackets.creationTime, let validity = subpackets.validity, validity > 0
            else {
                return nil
            }
            return created.advanced(by: validity)
        }
    }

    /// What a signature says about itself (RFC 9580, section 5.2.3.7).
    ///
    /// Only the hashed area speaks for the signer. From the unhashed one come hints at the issuer, and the embedded
    /// signature, which proves itself.
    struct Subpackets {
        private(set) var creationTime: Timestamp?
        /// Seconds from creation to expiration of the signature.
        private(set) var validity: Int64?
        /// Seconds from creation to expiration of the key that is signed.
        private(set) var keyValidity: Int64?
        private(set) var keyFlags: UInt8?
        private(set) var revocationReason: UInt8?
        /// The keys that the hashed area names, or else the unhashed one, in their order.
        var issuers: [KeyID] { signedIssuers.isEmpty ? otherIssuers : signedIssuers }
        private var signedIssuers: [KeyID] = []
        private var otherIssuers: [KeyID] = []
        /// Why an area could not be read to its end; what came before it has been read.
        private(set) var fault: Error?
        /// The first critical subpacket that is not understood, in either area.
        private(set) var unknownCritical: UInt8?
        /// All notations that claim to be the purpose, of either area.
        private(set) var purposes: [PurposeNotation] = []
        /// Bodies of embedded signature packets, not yet parsed.
        private(set) var embedded: [ArraySlice<UInt8>] = []

        /// A notation ``Purpose/notationName`` (RFC 9580, section 5.2.3.24), not yet judged.
        struct PurposeNotation {
            let value: ArraySlice<UInt8>
            let flags: Int64
            let isHashed: Bool
            let isCritical: Bool
        }

        /// The flags of a notation whose value is text.
        static let humanReadable: Int64 = 0x8000_0000

        /// No honest signature has more issuers or embedded signatures; each would cost a verification.
        private static let repetitionLimit = 4

        init(hashed: ArraySlice<UInt8>, unhashed: ArraySlice<UInt8>) {
            read(hashed, isHashed: true)
            read(unhashed, isHashed: false)
        }

        /// Reads an area as far as its lengths lead; a subpacket that is wrong in itself does not hide the next.
        private mutating func read(_ area: ArraySlice<UInt8>, isHashed: Bool) {
            var reader = ByteReader(area)
            while !reader.isAtEnd {
                let header: UInt8
                var body: ByteReader
                do throws(Error) {
                    let length = try Self.length(&reader)
                    body = try ByteReader(reader.bytes(length))
                    guard length > 0 else {
                        fault = fault ?? .malformedPacket("an empty subpacket")
                        continue
                    }
                    header = try body.byte()
                } catch {
                    fault = fault ?? error
                    return
                }
                let type = header & 0x7f
                do throws(Error) {
                    if isHashed { try readStatement(type, body) }
                    try readHint(type, body.rest, isHashed: isHashed, isCritical: header & 0x80 != 0)
                } catch {
                    fault = fault ?? error
                }
                if header & 0x80 != 0, !Self.understood.contains(type), unknownCritical == nil {
                    unknownCritical = type
                }
            }
        }

        /// Critical subpackets that are either obeyed or say nothing about whether a signature holds.
        private static let understood: Set<UInt8> = [
            2, 3, 4, 7, 9, 11, 16, 21, 22, 24, 25, 26, 27, 29, 30, 32, 33,
        ]

        private mutating func readStatement(_ type: UInt8, _ body: ByteReader) throws(Error) {
            var body = body
            switch type {
            case 2: try Self.setOnce(&creationTime, Timestamp(body.uint32()), type)
            case 3: try Self.setOnce(&validity, body.uint32(), type)
            case 9: try Self.setOnce(&keyValidity, body.uint32(), type)
            case 27:
                // Flags beyond the first octet, and none at all, allow nothing that matters here.
                try Self.setOnce(&keyFlags, body.rest.first ?? 0, type)
                return
            case 29:
                try Self.setOnce(&revocationReason, body.byte(), type)
                return
            default: return
            }
            guard body.isAtEnd else { throw .malformedPacket("a subpacket \(type) of wrong length") }
        }

        private mutating func readHint(
            _ type: UInt8, _ body: ArraySlice<UInt8>, isHashed: Bool, isCritical: Bool
        ) throws(Error) {
            switch type {
            case 16:
                guard body.count == 8 else { throw .malformedPacket("a key ID of \(body.count) bytes") }
                addIssuer(KeyID(body), isHashed: isHashed)
            // Fingerprints of other versions of keys are of no use here.
            case 33 where body.first == 4:
                guard body.count == 21 else {
                    throw .malformedPacket("a fingerprint of \(body.count - 1) bytes")
                }
                addIssuer(KeyID(body.suffix(8)), isHashed: isHashed)
            // Of no consequence, but of this length: whether a certification may be passed on, how far trust goes,
            // whether the signature may be revoked.
            case 4, 7:
                guard body.count == 1 else { throw .malformedPacket("a subpacket \(type) of wrong length") }
            case 5: guard body.count == 2 else { throw .malformedPacket("a subpacket 5 of wrong length") }
            case 20: try readNotation(body, isHashed: isHashed, isCritical: isCritical)
            case 32 where embedded.count < Self.repetitionLimit: embedded.append(body)
            default: break
            }
        }

        /// A notation (RFC 9580, section 5.2.3.24): four octets of flags, two lengths, a name and a value.
        private mutating func readNotation(
            _ body: ArraySlice<UInt8>, isHashed: Bool, isCritical: Bool
        ) throws(Error) {
            var reader = ByteReader(body)
            let flags = try reader.uint32()
            let (nameLength, valueLength) = try (reader.uint16(), reader.uint16())
            guard reader.rest.count == nameLength + valueLength else {
                throw .malformedPacket("a subpacket 20 of wrong length")
            }
            guard try reader.bytes(nameLength).elementsEqual(Purpose.notationName.utf8) else { return }
            purposes.append(
                PurposeNotation(
                    value: reader.rest, flags: flags, isHashed: isHashed, isCritical: isCritical))
        }

        private mutating func addIssuer(_ issuer: KeyID, isHashed: Bool) {
            func add(to issuers: inout [KeyID]) {
                if issuers.count < Self.repetitionLimit, !issuers.contains(issuer) { issuers.append(issuer) }
            }
            if isHashed { add(to: &signedIssuers) } else { add(to: &otherIssuers) }
        }

        private static func setOnce<T>(_ field: inout T?, _ value: T, _ type: UInt8) throws(Error) {
            guard field == nil else { throw .malformedPacket("subpacket \(type) twice") }
            field = value
        }

        /// The length of a subpacket (RFC 9580, section 5.2.3.7).
        private static func length(_ reader: inout ByteReader) throws(Error) -> Int {
            let first = try Int(reader.byte())
            switch first {
            case ..<192: return first
            case ..<255: return try (first - 192) << 8 + Int(reader.byte()) + 192
            default: return try Int(reader.uint32())
            }
        }
    }
}

extension OpenPGP.Subpackets {
    /// A subpacket of `type`, with a body of at most 190 bytes.
    static func write(_ type: UInt8, _ body: some Collection<UInt8>) -> [UInt8] {
        [UInt8(body.count + 1), type] + body
    }

    /// The issuer fingerprint subpacket (RFC 9580, section 5.2.3.35).
    static func issuer(_ key: OpenPGP.Fingerprint) -> [UInt8] { write(33, [4] + key.bytes) }

    /// The notation that says what a signature is for (RFC 9580, section 5.2.3.24): readable by people, not critical.
    static func purpose(_ purpose: Purpose) -> [UInt8] {
        let (name, value) = (Purpose.notationName.utf8, purpose.rawValue.utf8)
        let lengths = [UInt8(0), UInt8(name.count), 0, UInt8(value.count)]
        return write(20, OpenPGP.bigEndian(humanReadable) + lengths + Array(name) + Array(value))
    }

    /// The creation time subpacket (RFC 9580, section 5.2.3.11).
    static func creation(_ time: OpenPGP.Timestamp) -> [UInt8] { write(2, OpenPGP.bigEndian(time.seconds)) }
}
