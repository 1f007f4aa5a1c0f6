import PDSecrets

extension ShareParser {
    /// A line without spaces at its ends and with single spaces inside.
    struct Line {
        let bytes: UnsafeRawBufferPointer

        /// - Parameter memory: as long as `text`; the line lives in it.
        init(collapsing text: UnsafeRawBufferPointer, into memory: UnsafeMutableRawBufferPointer) {
            var count = 0
            var pendingSpace = false
            for byte in text {
                if byte == 0x20 || byte == 0x09 || byte == 0x0d {
                    pendingSpace = count > 0
                } else {
                    if pendingSpace {
                        memory[count] = 0x20
                        count += 1
                        pendingSpace = false
                    }
                    memory[count] = byte
                    count += 1
                }
            }
            bytes = UnsafeRawBufferPointer(rebasing: memory[..<count])
        }

        /// Whether this is the BEGIN or END line, dashes and letter case aside.
        func isFrame(_ words: String) -> Bool {
            var inner = bytes[...]
            while let first = inner.first, first == 0x2d || first == 0x20 { inner = inner.dropFirst() }
            while let last = inner.last, last == 0x2d || last == 0x20 { inner = inner.dropLast() }
            return inner.count == words.utf8.count
                && zip(inner, words.utf8).allSatisfy { byte, expected in
                    byte == expected || (0x61...0x7a ~= byte && byte - 0x20 == expected)
                }
        }
    }

    /// A line of the form `key: value #checksum`.
    struct Field {
        let key: Slice<UnsafeRawBufferPointer>
        let value: Slice<UnsafeRawBufferPointer>
        private let line: Slice<UnsafeRawBufferPointer>
        private let checksum: UInt32?

        init?(_ text: Line) {
            let bytes = text.bytes
            guard let colon = bytes.firstIndex(of: 0x3a), let hash = bytes.lastIndex(of: 0x23), colon < hash
            else { return nil }
            key = bytes[..<colon]
            value = Field.trimmed(bytes[(colon + 1)..<hash])
            line = Field.trimmed(bytes[..<hash])
            checksum = LineChecksum.parse(bytes[(hash + 1)...].filter { $0 != 0x20 && $0 != 0x2d })
        }

        func isKey(_ name: String) -> Bool { key.elementsEqual(name.utf8) }

        /// The value as text; nil where it is not UTF-8.
        var valueText: String? { String(validating: value, as: UTF8.self) }

        /// Whether the line agrees with its checksum.
        func checksumAgrees() -> Bool {
            var computed = LineChecksum()
            computed.add(line)
            return checksum == computed.value
        }

        /// Whether a numbered line agrees with its checksum.
        func checksumAgrees(body digits: SecretBytes) -> Bool {
            var computed = LineChecksum()
            computed.add(key)
            computed.add(": ".utf8)
            digits.withUnsafeBytes { computed.add($0) }
            return checksum == computed.value
        }

        /// The characters of a numbered line as they are meant: upper case, O as 0, I and L as 1, no spaces or hyphens.
        /// Characters of no meaning stay as they are.
        static func compact(_ value: Slice<UnsafeRawBufferPointer>) -> SecretBytes {
            let isDigit = { (byte: UInt8) in byte != 0x20 && byte != 0x2d }
            var digits = SecretBytes(count: value.lazy.filter(isDigit).count)
            digits.withUnsafeMutableBytes { digits in
                for (index, byte) in value.lazy.filter(isDigit).enumerated() {
                    digits[index] = BaseN.folded(byte)
                }
            }
            return digits
        }

        private static func trimmed(_ bytes: Slice<UnsafeRawBufferPointer>) -> Slice<UnsafeRawBufferPointer> {
            var bytes = bytes
            while bytes.first == 0x20 { bytes = bytes.dropFirst() }
            while bytes.last == 0x20 { bytes = bytes.dropLast() }
            return bytes
        }
    }
}
