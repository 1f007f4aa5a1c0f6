extension OpenPGP {
    /// ASCII armor (RFC 9580, section 6).
    ///
    /// Read strictly: one block of the expected kind, text before it but not after it, lines that end in LF or
    /// CR LF, body lines of at most 76 characters, canonical base64. The checksum may be missing (RFC 9580) but
    /// must be right where it is there.
    package enum Armor {
        package enum Kind: String, Sendable {
            case signature = "PGP SIGNATURE"
            case message = "PGP MESSAGE"
            case publicKey = "PGP PUBLIC KEY BLOCK"
            case secretKey = "PGP PRIVATE KEY BLOCK"
        }

        /// The binary packets in `input`, taken out of their armor if they are in one.
        ///
        /// The first octet of a packet has its highest bit set (RFC 9580, section 4.2), that of a text has not.
        package static func unwrap(
            _ input: [UInt8], kind: Kind, limit: Int, severalBlocks: Bool = false
        ) throws(Error) -> [UInt8] {
            guard input.count <= limit else { throw .tooLong(limit: limit) }
            guard let first = input.first else { throw .malformedArmor("empty") }
            if first & 0x80 != 0 { return input }
            var lines = Lines(input)
            var output = [UInt8]()
            // Never grown: what is in it may be secret, and growing leaves a copy behind.
            output.reserveCapacity(input.count)
            try readBlock(&lines, kind: kind, into: &output)
            while try !lines.restIsBlank() {
                guard severalBlocks else { throw .malformedArmor("text after the end line") }
                try readBlock(&lines, kind: kind, into: &output)
            }
            return output
        }

        private static func readBlock(_ lines: inout Lines, kind: Kind, into output: inout [UInt8])
            throws(Error)
        {
            let dashes = Array("-----".utf8)
            let begin = Array("-----BEGIN PGP ".utf8)
            while true {
                guard let line = try lines.next() else { throw .malformedArmor("no begin line") }
                guard line.starts(with: begin) else { continue }
                guard line.elementsEqual(Array("-----BEGIN \(kind.rawValue)-----".utf8)) else {
                    throw .malformedArmor("not a block of the kind \(kind.rawValue)")
                }
                break
            }
            while true {
                guard let line = try lines.next() else { throw .malformedArmor("it ends in its headers") }
                if line.isEmpty { break }
                try checkHeader(line)
            }
            var decoder = Base64Decoder()
            var checksum: UInt32?
            let start = output.count
            while true {
                guard let line = try lines.next() else { throw .malformedArmor("no end line") }
                if line.starts(with: dashes) {
                    guard line.elementsEqual(Array("-----END \(kind.rawValue)-----".utf8)) else {
                        throw .malformedArmor("the end line is not that of the begin line")
                    }
                    break
                }
                guard checksum == nil else { throw .malformedArmor("something follows the checksum") }
                if line.first == UInt8(ascii: "=") {
                    var value = [UInt8]()
                    var checksumDecoder = Base64Decoder()
                    try checksumDecoder.decode(line.dropFirst(), into: &value)
                    try checksumDecoder.finish()
                    guard value.count == 3 else { throw .malformedArmor("a checksum that is not 24 bits") }
                    checksum = UInt32(value[0]) << 16 | UInt32(value[1]) << 8 | UInt32(value[2])
                } else {
                    guard !line.isEmpty else { throw .malformedArmor("an empty line in the body") }
                    guard line.count <= 76 else { throw .malformedArmor("a line of more than 76 characters") }
                    try decoder.decode(line, into: &output)
                }
            }
            try decoder.finish()
            guard output.count > start else { throw .malformedArmor("nothing in it") }
            if let checksum, checksum != crc24(output[start...]) { throw .malformedArmor("wrong checksum") }
        }

        /// `Key: value` in printable characters (RFC 9580, section 6.2.2); what it says is of no consequence.
        private static func checkHeader(_ line: ArraySlice<UInt8>) throws(Error) {
            guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7f }) else {
                throw .malformedArmor("a control character in a header")
            }
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[line.startIndex..<colon].allSatisfy({ $0 > 0x20 && $0 < 0x7f }),
                colon + 1 < line.endIndex, line[colon + 1] == 0x20
            else { throw .malformedArmor("a header that is not \"Key: value\"") }
        }

        /// `bytes` in armor of lines of 64 characters, with a checksum, as GnuPG writes it.
        static func wrap(_ bytes: some Collection<UInt8>, kind: Kind) -> [UInt8] {
            var text = Array("-----BEGIN \(kind.rawValue)-----\n\n".utf8)
            let body = Base64.encode(bytes)
            for start in stride(from: 0, to: body.count, by: 64) {
                text += body[start..<min(start + 64, body.count)]
                text.append(0x0a)
            }
            let crc = crc24(bytes)
            let octets = [16, 8, 0].map { UInt8(truncatingIfNeeded: crc >> $0) }
            text += [UInt8(ascii: "=")] + Base64.encode(octets) + [0x0a]
            text += Array("-----END \(kind.rawValue)-----\n".utf8)
            return text
        }

        /// The checksum of RFC 4880, section 6.1.
        static func crc24(_ bytes: some Collection<UInt8>) -> UInt32 {
            crcTable.withUnsafeBufferPointer { table in
                bytes.reduce(0xb704ce) { crc, byte in
                    (crc << 8 ^ table[Int(UInt8(truncatingIfNeeded: crc >> 16) ^ byte)]) & 0xff_ffff
                }
            }
        }

        private static let crcTable: [UInt32] = (0..<256).map { (index: UInt32) in
            (0..<8).reduce(index << 16) { value, _ in
                (value << 1 ^ (value & 0x80_0000 == 0 ? 0 : 0x186_4cfb)) & 0xff_ffff
            }
        }
    }
}

extension OpenPGP.Armor {
    /// The lines of a text that end in LF or CR LF, without their ends.
    private struct Lines {
        private let text: [UInt8]
        private var position = 0

        init(_ text: [UInt8]) {
            self.text = text
        }

        /// The next line, or nil at the end of the text.
        mutating func next() throws(OpenPGP.Error) -> ArraySlice<UInt8>? {
            guard position < text.count else { return nil }
            var end = position
            while end < text.count, text[end] != 0x0a { end += 1 }
            var line = text[position..<end]
            if line.last == 0x0d { line.removeLast() }
            guard !line.contains(0x0d) else { throw .malformedArmor("a carriage return within a line") }
            position = min(end + 1, text.count)
            return line
        }

        /// Whether only empty lines are left.
        mutating func restIsBlank() throws(OpenPGP.Error) -> Bool {
            let mark = position
            while let line = try next() {
                guard line.isEmpty else {
                    position = mark
                    return false
                }
            }
            return true
        }
    }
}
