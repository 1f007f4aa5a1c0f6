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
            hash = try StatedHash(id: reader.byte())
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
            DigestState.hash(document, algorithm, hashedPart, [4, 0xff] + bigEndian(hashedPart.count))
        }

        /// Why what the signature says about itself cannot be understood, nil if it can.
        var formFault: Error? {
            subpackets.fault ?? subpackets.unknownCritical.map { .unknownCriticalSubpacket($0) }
        }

        /// When the signature ends by its own words, nil if never.
        var expirationTime: Timestamp? {
            let validity = subpackets.validity ?? 0
            return validity > 0 ? subpackets.creationTime?.advanced(by: validity) : nil
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
        private(set) var issuers: [KeyID] = []
        private var hasSignedIssuer = false
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
                    let length = try reader.length(twoOctetEnd: 255) ?? 0
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
                let (type, isCritical) = (header & 0x7f, header & 0x80 != 0)
                do throws(Error) {
                    try take(type, body.rest, isHashed: isHashed, isCritical: isCritical)
                } catch {
                    fault = fault ?? error
                }
                if isCritical, !Self.understood.contains(type), unknownCritical == nil {
                    unknownCritical = type
                }
            }
        }

        /// Critical subpackets that are either obeyed or say nothing about whether a signature holds.
        private static let understood: Set<UInt8> = [
            2, 3, 4, 7, 9, 11, 16, 21, 22, 24, 25, 26, 27, 29, 30, 32, 33,
        ]

        /// The length of a subpacket that has one, where it counts. The hashed area alone says when and how long.
        private static func length(_ type: UInt8, isHashed: Bool) -> Int? {
            switch type {
            case 4, 7: 1
            case 5: 2
            case 16: 8
            case 2, 3, 9: isHashed ? 4 : nil
            default: nil
            }
        }

        private mutating func take(
            _ type: UInt8, _ body: ArraySlice<UInt8>, isHashed: Bool, isCritical: Bool
        ) throws(Error) {
            let isFitting = Self.length(type, isHashed: isHashed).map { $0 == body.count } ?? true
            guard isFitting else { throw .malformedPacket("a subpacket \(type) of wrong length") }
            var reader = ByteReader(body)
            switch (type, isHashed) {
            case (2, true): try Self.setOnce(&creationTime, Timestamp(reader.uint32()), type)
            case (3, true): try Self.setOnce(&validity, reader.uint32(), type)
            case (9, true): try Self.setOnce(&keyValidity, reader.uint32(), type)
            // Flags beyond the first octet, and none at all, allow nothing that matters here.
            case (27, true): try Self.setOnce(&keyFlags, body.first ?? 0, type)
            case (29, true): try Self.setOnce(&revocationReason, reader.byte(), type)
            case (16, _): addIssuer(body, isHashed: isHashed)
            // Fingerprints of other versions of keys are of no use here.
            case (33, _) where body.first == 4:
                guard body.count == 21 else { throw .malformedPacket("a subpacket 33 of wrong length") }
                addIssuer(body.suffix(8), isHashed: isHashed)
            case (20, _): try readNotation(body, isHashed: isHashed, isCritical: isCritical)
            case (32, _) where embedded.count < Self.repetitionLimit: embedded.append(body)
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
            hasSignedIssuer = hasSignedIssuer || isHashed
            guard isHashed || !hasSignedIssuer, issuers.count < Self.repetitionLimit else { return }
            if !issuers.contains(issuer) { issuers.append(issuer) }
        }

        private static func setOnce<T>(_ field: inout T?, _ value: T, _ type: UInt8) throws(Error) {
            guard field == nil else { throw .malformedPacket("subpacket \(type) twice") }
            field = value
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
