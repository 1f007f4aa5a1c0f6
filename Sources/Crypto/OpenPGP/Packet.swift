extension OpenPGP {
    /// The type of a packet (RFC 9580, section 5).
    public struct PacketTag: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The type's number, 0 to 63.
        public let rawValue: UInt8

        /// The type with this number.
        public init(rawValue: UInt8) { self.rawValue = rawValue }

        static let signature = PacketTag(rawValue: 2)
        package static let onePassSignature = PacketTag(rawValue: 4)
        static let secretKey = PacketTag(rawValue: 5)
        static let publicKey = PacketTag(rawValue: 6)
        static let secretSubkey = PacketTag(rawValue: 7)
        static let compressedData = PacketTag(rawValue: 8)
        package static let literalData = PacketTag(rawValue: 11)
        static let trust = PacketTag(rawValue: 12)
        static let userID = PacketTag(rawValue: 13)
        static let publicSubkey = PacketTag(rawValue: 14)
        static let userAttribute = PacketTag(rawValue: 17)

        /// Whether a packet of this type is part of an encrypted message.
        private var isEncryption: Bool { [1, 3, 9, 18, 20].contains(rawValue) }

        /// Whether a packet of this type says nothing among keys and signatures: trust, markers, padding, and what the
        /// standard leaves to private use or to the future (RFC 9580, section 4.3).
        var mayBeIgnored: Bool { [10, 12, 21].contains(rawValue) || rawValue >= 40 }

        /// The error for a packet of this type where `other` is what is wrong with all but compressed and encrypted ones.
        func fault(orElse other: Error) -> Error {
            if self == .compressedData { return .compressedMessage }
            return isEncryption ? .encryptedMessage : other
        }

        private static let names: [UInt8: String] = [
            2: "signature", 4: "one-pass signature", 5: "secret key", 6: "public key", 7: "secret subkey",
            8: "compressed data", 10: "marker", 11: "literal data", 12: "trust", 13: "user ID",
            14: "public subkey", 17: "user attribute",
        ]

        /// The standard's name of the type, or its number.
        public var description: String {
            Self.names[rawValue] ?? (isEncryption ? "encrypted data" : "type \(rawValue)")
        }
    }

    /// One packet: its type, its body, and all its bytes with the header.
    struct Packet {
        let tag: PacketTag
        let body: ArraySlice<UInt8>
        let bytes: ArraySlice<UInt8>
    }

    /// Walks over a sequence of packets without descending into any: no input makes it recurse or allocate.
    struct PacketReader {
        private var reader: ByteReader

        init(_ bytes: ArraySlice<UInt8>) { reader = ByteReader(bytes) }

        /// The next packet, nil at the end. Packets that do not state their length in advance (RFC 9580, section 4.2.1.4)
        /// are refused: no key and no signature comes in parts.
        mutating func next() throws(Error) -> Packet? {
            guard !reader.isAtEnd else { return nil }
            let all = reader.rest
            let header = try reader.byte()
            guard header & 0x80 != 0 else { throw .malformedPacket("a packet header without its first bit") }
            let isNewFormat = header & 0x40 != 0
            let tag = PacketTag(rawValue: isNewFormat ? header & 0x3f : header >> 2 & 0xf)
            guard tag.rawValue != 0 else { throw .malformedPacket("packet type 0") }
            let stated = try isNewFormat ? reader.length(twoOctetEnd: 224) : oldFormatLength(header & 3)
            guard let length = stated else {
                throw tag.fault(orElse: .malformedPacket("a \(tag) packet of unstated length"))
            }
            let body = try reader.bytes(length)
            return Packet(tag: tag, body: body, bytes: all[all.startIndex..<reader.rest.startIndex])
        }

        private mutating func oldFormatLength(_ type: UInt8) throws(Error) -> Int? {
            switch type {
            case 0: return try Int(reader.byte())
            case 1: return try reader.uint16()
            case 2: return try Int(reader.uint32())
            default: return nil
            }
        }
    }

    /// A packet of `tag` around `body`, in the format of RFC 9580 for new types and the old one below 16, as
    /// GnuPG writes them.
    package static func packet(_ tag: PacketTag, _ body: some Collection<UInt8>) -> [UInt8] {
        let length = body.count
        var packet = [UInt8]()
        packet.reserveCapacity(length + 6)
        let header = 0x80 | tag.rawValue << 2
        switch (tag.rawValue, length) {
        case (16..., _): packet += [0xc0 | tag.rawValue, 0xff] + bigEndian(length)
        case (_, ..<0x100): packet += [header, UInt8(length)]
        case (_, ..<0x1_0000): packet += [header | 1] + bigEndian(length).suffix(2)
        default: packet += [header | 2] + bigEndian(length)
        }
        packet += body
        return packet
    }

    /// The low 32 bits of `value`, most significant byte first.
    package static func bigEndian(_ value: some BinaryInteger) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// A multiprecision integer of the number with these big-endian bytes.
    static func mpi(_ number: some Collection<UInt8>) -> [UInt8] {
        let digits = number.drop { $0 == 0 }
        let bits = digits.count * 8 - (digits.first?.leadingZeroBitCount ?? 0)
        return bigEndian(bits).suffix(2) + digits
    }
}
