extension OpenPGP {
    /// The type of a packet (RFC 9580, section 5).
    public struct PacketTag: RawRepresentable, Hashable, Sendable, CustomStringConvertible {
        /// The type's number, 0 to 63.
        public let rawValue: UInt8

        /// The type with this number.
        public init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        static let signature = PacketTag(rawValue: 2)
        static let onePassSignature = PacketTag(rawValue: 4)
        static let secretKey = PacketTag(rawValue: 5)
        static let publicKey = PacketTag(rawValue: 6)
        static let secretSubkey = PacketTag(rawValue: 7)
        static let compressedData = PacketTag(rawValue: 8)
        static let marker = PacketTag(rawValue: 10)
        static let literalData = PacketTag(rawValue: 11)
        static let trust = PacketTag(rawValue: 12)
        static let userID = PacketTag(rawValue: 13)
        static let publicSubkey = PacketTag(rawValue: 14)
        static let userAttribute = PacketTag(rawValue: 17)

        /// Whether a packet of this type is part of an encrypted message.
        var isEncryption: Bool { [1, 3, 9, 18, 20].contains(rawValue) }

        /// Whether a packet of this type says nothing among keys and signatures: trust, markers, padding, and what the
        /// standard leaves to private use or to the future (RFC 9580, section 4.3).
        var mayBeIgnored: Bool { [10, 12, 21].contains(rawValue) || rawValue >= 40 }

        /// The error for a packet of this type that does not state its whole length.
        var withoutLength: Error {
            if self == .compressedData { return .compressedMessage }
            return isEncryption ? .encryptedMessage : .malformedPacket("a \(self) packet of unstated length")
        }

        /// The standard's name of the type, or its number.
        public var description: String {
            switch self {
            case .signature: "signature"
            case .onePassSignature: "one-pass signature"
            case .secretKey: "secret key"
            case .publicKey: "public key"
            case .secretSubkey: "secret subkey"
            case .compressedData: "compressed data"
            case .marker: "marker"
            case .literalData: "literal data"
            case .trust: "trust"
            case .userID: "user ID"
            case .publicSubkey: "public subkey"
            case .userAttribute: "user attribute"
            default: isEncryption ? "encrypted data" : "type \(rawValue)"
            }
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

        init(_ bytes: ArraySlice<UInt8>) {
            reader = ByteReader(bytes)
        }

        var isAtEnd: Bool { reader.isAtEnd }

        /// The next packet, nil at the end.
        ///
        /// - Parameter partial: a literal data packet may come in several parts (RFC 9580, section 4.2.1.4), which
        ///   are joined. Lengths that are not stated in advance are refused in all other places.
        mutating func next(allowingPartialLiteral partial: Bool = false) throws(Error) -> Packet? {
            guard !reader.isAtEnd else { return nil }
            let all = reader.rest
            let header = try reader.byte()
            guard header & 0x80 != 0 else { throw .malformedPacket("a packet header without its first bit") }
            let isNewFormat = header & 0x40 != 0
            let tag = PacketTag(rawValue: isNewFormat ? header & 0x3f : header >> 2 & 0xf)
            guard tag.rawValue != 0 else { throw .malformedPacket("packet type 0") }
            var body = ArraySlice<UInt8>()
            if isNewFormat {
                switch try newFormatLength() {
                case .whole(let length): body = try reader.bytes(length)
                case .part(let length):
                    guard partial, tag == .literalData else { throw tag.withoutLength }
                    body = try partialBody(first: length)
                }
            } else {
                let length: Int
                switch header & 3 {
                case 0: length = try Int(reader.byte())
                case 1: length = try reader.uint16()
                case 2: length = try Int(reader.uint32())
                default: throw tag.withoutLength
                }
                body = try reader.bytes(length)
            }
            return Packet(tag: tag, body: body, bytes: all[all.startIndex..<reader.rest.startIndex])
        }

        private enum Length {
            case whole(Int)
            case part(Int)
        }

        private mutating func newFormatLength() throws(Error) -> Length {
            let first = try Int(reader.byte())
            switch first {
            case ..<192: return .whole(first)
            case ..<224: return try .whole((first - 192) << 8 + Int(reader.byte()) + 192)
            case 255: return try .whole(Int(reader.uint32()))
            default: return .part(1 << (first & 0x1f))
            }
        }

        private mutating func partialBody(first: Int) throws(Error) -> ArraySlice<UInt8> {
            guard first >= 512 else { throw .malformedPacket("a first part of less than 512 bytes") }
            var body = try Array(reader.bytes(first))
            while true {
                switch try newFormatLength() {
                case .part(let length): body += try reader.bytes(length)
                case .whole(let length):
                    body += try reader.bytes(length)
                    return body[...]
                }
            }
        }

        /// A packet of `tag` around `body`, in the format of RFC 9580 for new types and the old one below 16, as
        /// GnuPG writes them.
        static func write(_ tag: PacketTag, _ body: some Collection<UInt8>) -> [UInt8] {
            let length = body.count
            var packet = [UInt8]()
            packet.reserveCapacity(length + 6)
            if tag.rawValue < 16 {
                let header = 0x80 | tag.rawValue << 2
                switch length {
                case ..<0x100: packet += [header, UInt8(length)]
                case ..<0x1_0000: packet += [header | 1, UInt8(length >> 8), UInt8(length & 0xff)]
                default: packet += [header | 2] + bigEndian(length)
                }
            } else {
                packet += [0xc0 | tag.rawValue, 0xff] + bigEndian(length)
            }
            return packet + body
        }
    }

    /// The low 32 bits of `value`, most significant byte first.
    static func bigEndian(_ value: some BinaryInteger) -> [UInt8] {
        [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) }
    }

    /// A multiprecision integer of the number with these big-endian bytes.
    static func mpi(_ number: some Collection<UInt8>) -> [UInt8] {
        let digits = number.drop { $0 == 0 }
        let bits = digits.count * 8 - (digits.first?.leadingZeroBitCount ?? 0)
        return [UInt8(truncatingIfNeeded: bits >> 8), UInt8(truncatingIfNeeded: bits)] + digits
    }
}
