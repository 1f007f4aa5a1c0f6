extension OpenPGP {
    /// The base64 of RFC 4648, section 4, on bytes.
    enum Base64 {
        static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)

        /// The value of each character; 0xff for what is none.
        static let values: [UInt8] = {
            var values = [UInt8](repeating: 0xff, count: 256)
            for (value, character) in alphabet.enumerated() { values[Int(character)] = UInt8(value) }
            return values
        }()

        /// `bytes` with padding, without line ends.
        static func encode(_ bytes: some Collection<UInt8>) -> [UInt8] {
            var text = [UInt8]()
            text.reserveCapacity((bytes.count + 2) / 3 * 4)
            var group: UInt32 = 0
            var count = 0
            func put(_ characters: Int) {
                for index in 0..<4 {
                    let value = Int(group >> (18 - 6 * UInt32(index)) & 63)
                    text.append(index < characters ? alphabet[value] : UInt8(ascii: "="))
                }
            }
            for byte in bytes {
                group = group << 8 | UInt32(byte)
                count += 1
                if count == 3 {
                    put(4)
                    (group, count) = (0, 0)
                }
            }
            if count > 0 {
                group <<= UInt32(24 - 8 * count)
                put(count + 1)
            }
            return text
        }
    }

    /// Decodes base64 line by line, and only what ``Base64/encode(_:)`` could have written: padding at the end alone,
    /// and no stray bits before it.
    struct Base64Decoder {
        private var group: UInt32 = 0
        private var count = 0
        private var padding = 0

        mutating func decode(_ line: ArraySlice<UInt8>, into output: inout [UInt8]) throws(Error) {
            let values = Base64.values
            for character in line {
                if character == UInt8(ascii: "=") {
                    padding += 1
                    continue
                }
                let value = values[Int(character)]
                guard value != 0xff else { throw .malformedArmor("a character that is not base64") }
                guard padding == 0 else { throw .malformedArmor("padding before the end") }
                group = group << 6 | UInt32(value)
                count += 1
                if count == 4 {
                    output.append(UInt8(truncatingIfNeeded: group >> 16))
                    output.append(UInt8(truncatingIfNeeded: group >> 8))
                    output.append(UInt8(truncatingIfNeeded: group))
                    (group, count) = (0, 0)
                }
            }
            guard padding > 0 else { return }
            // What padding announces is the end: the last group is two or three characters.
            switch (count, padding) {
            case (2, 2) where group & 0xf == 0:
                output.append(UInt8(truncatingIfNeeded: group >> 4))
            case (3, 1) where group & 0x3 == 0:
                output.append(UInt8(truncatingIfNeeded: group >> 10))
                output.append(UInt8(truncatingIfNeeded: group >> 2))
            default: throw .malformedArmor("wrong padding")
            }
            count = 0
        }

        func finish() throws(Error) {
            guard count == 0 else { throw .malformedArmor("base64 that ends within a group") }
        }
    }
}
