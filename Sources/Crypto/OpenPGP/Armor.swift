import PDSecrets

extension OpenPGP {
    /// ASCII armor (RFC 9580, section 6).
    ///
    /// Read as mail programs, editors and `cat` leave it, where most other readers agree on the bytes in it: text around
    /// blocks, white space at the ends of lines, lines of any length, blank lines, no checksum or a wrong one (which
    /// "MUST NOT" refuse an object, section 6.1). None of that changes which bytes come out; base64 itself must be
    /// canonical, so that each block has one reading.
    package enum Armor {
        package enum Kind: String, Sendable {
            case signature = "PGP SIGNATURE"
            case message = "PGP MESSAGE"
            case publicKey = "PGP PUBLIC KEY BLOCK"
            case secretKey = "PGP PRIVATE KEY BLOCK"

            /// Whether such a block holds a key.
            var isKey: Bool { self == .publicKey || self == .secretKey }
            /// The labels of such blocks. Some programs write detached signatures as messages.
            fileprivate var labels: [Kind] { self == .signature ? [.signature, .message] : [self] }
        }

        /// The binary packets in `input`, which has exactly one block if it is armored.
        package static func unwrap(_ input: [UInt8], kind: Kind, limit: Int) throws(Error) -> [UInt8] {
            let blocks = try blocks(input, kind: kind, limit: limit)
            guard blocks.count == 1 else {
                throw .malformedArmor("\(blocks.count) blocks where one is wanted")
            }
            return blocks[0]
        }

        /// The binary packets in each block of `input`, or `input` where it is not armored.
        ///
        /// The first octet of a packet has its highest bit set (RFC 9580, section 4.2), that of a text has not.
        package static func blocks(_ input: [UInt8], kind: Kind, limit: Int) throws(Error) -> [[UInt8]] {
            guard input.count <= limit else { throw .tooLong(limit: limit) }
            if let mistake = Mistake(startOf: input) { throw .mistake(mistake) }
            guard let first = input.first else { throw .malformedArmor("empty") }
            if first & 0x80 != 0 { return [input] }
            var lines = Lines(input)
            var blocks = [[UInt8]]()
            while let label = try nextBlock(&lines, kind) { blocks.append(try readBlock(&lines, label)) }
            guard !blocks.isEmpty else {
                if let mistake = Mistake(withoutBlock: input, wanted: kind) { throw .mistake(mistake) }
                throw .malformedArmor("no begin line")
            }
            return blocks
        }

        /// Passes over text to the next begin line; nil if there is none. What else begins there is no text.
        private static func nextBlock(_ lines: inout Lines, _ kind: Kind) throws(Error) -> Kind? {
            while let line = try lines.next() {
                guard line.starts(with: begin) else { continue }
                if let label = kind.labels.first(where: {
                    line.elementsEqual("-----BEGIN \($0.rawValue)-----".utf8)
                }) {
                    return label
                }
                let found = String(
                    decoding: line.dropFirst(11).prefix { $0 != UInt8(ascii: "-") }, as: UTF8.self)
                if let mistake = Mistake(found: found, wanted: kind) { throw .mistake(mistake) }
                throw .malformedArmor("not a block of the kind \(kind.rawValue)")
            }
            return nil
        }

        private static func readBlock(_ lines: inout Lines, _ label: Kind) throws(Error) -> [UInt8] {
            try skipHeaders(&lines)
            // Never grown: what is in it may be secret, and growing leaves a copy behind.
            var text = [UInt8]()
            text.reserveCapacity(lines.distance(to: dashes))
            defer { text.wipe() }
            var isAfterChecksum = false
            while true {
                guard let line = try lines.next() else { throw .malformedArmor("no end line") }
                if line.starts(with: dashes) {
                    guard line.elementsEqual("-----END \(label.rawValue)-----".utf8) else {
                        throw .malformedArmor("the end line is not that of the begin line")
                    }
                    break
                }
                if line.isEmpty { continue }
                guard !isAfterChecksum else { throw .malformedArmor("something follows the checksum") }
                if line.first == UInt8(ascii: "=") {
                    isAfterChecksum = true
                } else {
                    text += line
                }
            }
            guard !text.isEmpty else { throw .malformedArmor("nothing in it") }
            guard let bytes = BaseN.base64.decode(text) else { throw .malformedArmor("not canonical base64") }
            return bytes
        }

        /// Passes over `Key: value` lines (RFC 9580, section 6.2.2), which are of no consequence, and the blank line after
        /// them, if it is there: base64 has no colon.
        private static func skipHeaders(_ lines: inout Lines) throws(Error) {
            while true {
                let mark = lines
                guard let line = try lines.next() else { throw .malformedArmor("it ends in its headers") }
                if line.isEmpty { return }
                guard line.contains(UInt8(ascii: ":")) else {
                    lines = mark
                    return
                }
                guard line.allSatisfy({ $0 >= 0x20 && $0 != 0x7f || $0 == 0x09 }) else {
                    throw .malformedArmor("a control character in a header")
                }
            }
        }

        private static let dashes = Array("-----".utf8)
        private static let begin = Array("-----BEGIN PGP ".utf8)

        /// `bytes` in armor of lines of 64 characters, with a checksum, as GnuPG writes it.
        package static func wrap(_ bytes: some Collection<UInt8>, kind: Kind) -> [UInt8] {
            // Never grown, and no copy left behind: it may be secret.
            var body = BaseN.base64.encode(bytes)
            defer { body.wipe() }
            var text = [UInt8]()
            text.reserveCapacity(body.count + body.count / 64 + 160)
            text += Array("-----BEGIN \(kind.rawValue)-----\n\n".utf8)
            for start in stride(from: 0, to: body.count, by: 64) {
                text += body[start..<min(start + 64, body.count)]
                text.append(0x0a)
            }
            text += [UInt8(ascii: "=")] + BaseN.base64.encode(bigEndian(crc24(bytes)).suffix(3)) + [0x0a]
            text += Array("-----END \(kind.rawValue)-----\n".utf8)
            return text
        }

        /// The checksum of RFC 4880, section 6.1.
        static func crc24(_ bytes: some Collection<UInt8>) -> UInt32 {
            bytes.reduce(0xb704ce) { crc, byte in
                (0..<8).reduce(crc ^ UInt32(byte) << 16) { crc, _ in
                    (crc << 1 ^ (crc & 0x80_0000 == 0 ? 0 : 0x186_4cfb)) & 0xff_ffff
                }
            }
        }
    }
}

extension OpenPGP.Armor {
    /// The lines of a text that end in LF, without their ends and the white space before those.
    private struct Lines {
        private var rest: ArraySlice<UInt8>

        init(_ text: [UInt8]) { rest = text[...] }

        /// The next line, or nil at the end of the text.
        mutating func next() throws(OpenPGP.Error) -> ArraySlice<UInt8>? {
            guard !rest.isEmpty else { return nil }
            var line = rest.prefix { $0 != 0x0a }
            rest = rest.dropFirst(line.count + 1)
            while let last = line.last, last == 0x20 || last == 0x0d || last == 0x09 { line.removeLast() }
            guard !line.contains(0x0d) else { throw .malformedArmor("a carriage return within a line") }
            return line
        }

        /// How many bytes there are before the next line that begins with `prefix`.
        func distance(to prefix: [UInt8]) -> Int {
            var rest = rest
            while !rest.isEmpty, !rest.starts(with: prefix) { rest = rest.drop { $0 != 0x0a }.dropFirst() }
            return self.rest.count - rest.count
        }
    }
}
