import Testing

@testable import PDSecrets

@Suite struct BaseNTests {
    struct Coder: Sendable, CustomTestStringConvertible {
        let name: String
        let coder: BaseN
        let alphabet: String
        let bits: Int
        var testDescription: String { name }
    }

    // As rooms above have them: without padding, with another alphabet, with rows that have gaps between them.
    static let base32 = BaseN(bits: 5, "0123456789", "ABCDEFGH", "JK", "MN", "PQRST", "VWXYZ")
    static let adaptedBase64 = BaseN(
        bits: 6, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz", "0123456789", "./")

    static let coders = [
        Coder(name: "hex", coder: .hexadecimal, alphabet: "0123456789abcdef", bits: 4),
        Coder(name: "HEX", coder: .upperHexadecimal, alphabet: "0123456789ABCDEF", bits: 4),
        Coder(name: "base 32", coder: base32, alphabet: "0123456789ABCDEFGHJKMNPQRSTVWXYZ", bits: 5),
        Coder(
            name: "base 64", coder: .base64,
            alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", bits: 6),
        Coder(
            name: "adapted base 64", coder: adaptedBase64,
            alphabet: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./", bits: 6),
    ]

    @Test(arguments: [
        ("", "", ""), ("f", "Zg==", "66"), ("fo", "Zm8=", "666f"), ("foo", "Zm9v", "666f6f"),
        ("foob", "Zm9vYg==", "666f6f62"), ("fooba", "Zm9vYmE=", "666f6f6261"),
        ("foobar", "Zm9vYmFy", "666f6f626172"),
    ])
    func `the vectors of RFC 4648, section 10`(bytes: String, base64: String, base16: String) {
        #expect(BaseN.base64.text(bytes.utf8) == base64)
        #expect(BaseN.hexadecimal.text(bytes.utf8) == base16)
        #expect(BaseN.upperHexadecimal.text(bytes.utf8) == base16.uppercased())
        #expect(BaseN.base64.decode(base64.utf8) == Array(bytes.utf8))
        #expect(BaseN.hexadecimal.decode(base16.utf8) == Array(bytes.utf8))
    }

    /// By the definition: the bits of the bytes in a row, filled with zeros to whole characters.
    @Test(arguments: coders)
    func `text is the bits in a row, and reads as the bytes that it was made from`(_ coder: Coder) {
        let alphabet = Array(coder.alphabet.utf8)
        #expect(alphabet.count == 1 << coder.bits)
        for count in 0...20 {
            for seed in 0..<8 {
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151 &+ seed &* 67 &+ 255) }
                var bits = bytes.flatMap { byte in (0..<8).map { byte >> (7 - UInt8($0)) & 1 } }
                while bits.count % coder.bits != 0 { bits.append(0) }
                let values = stride(from: 0, to: bits.count, by: coder.bits).map {
                    bits[$0..<$0 + coder.bits].reduce(0) { $0 << 1 | Int($1) }
                }
                let digits = values.map { alphabet[$0] }
                let padding = coder.name == "base 64" ? (4 - digits.count % 4) % 4 : 0
                let text = coder.coder.encode(bytes)
                #expect(text == digits + [UInt8](repeating: UInt8(ascii: "="), count: padding))
                #expect(text.count == coder.coder.length(ofBytes: count))
                #expect(coder.coder.decode(text) == bytes)
                #expect(coder.coder.decode(text.lazy.map { $0 }) == bytes)
            }
        }
    }

    @Test(arguments: coders)
    func `each of the 256 characters stands for its value or for nothing`(_ coder: Coder) {
        let alphabet = Array(coder.alphabet.utf8)
        // Eight digits are whole bytes in every base.
        for character in UInt8.min...UInt8.max {
            let text = [UInt8](repeating: alphabet[0], count: 7) + [character]
            let isPadding = coder.name == "base 64" && character == UInt8(ascii: "=")
            let expected = isPadding ? 0 : alphabet.firstIndex(of: character).map(UInt8.init)
            #expect(coder.coder.decode(text)?.last == expected, "\(character)")
        }
    }

    @Test(arguments: coders)
    func `bits at the end that mean nothing are zero, or the text is refused`(_ coder: Coder) {
        let alphabet = Array(coder.alphabet.utf8)
        for count in 1...5 where count * 8 % coder.bits != 0 {
            let text = coder.coder.encode([UInt8](repeating: 0, count: count))
            let last = text.lastIndex { $0 != UInt8(ascii: "=") } ?? 0
            let spare = coder.bits - count * 8 % coder.bits
            for value in 1..<(1 << spare) {
                var other = text
                other[last] = alphabet[value]
                #expect(coder.coder.decode(other) == nil, "\(count) bytes, \(value)")
            }
        }
    }

    @Test(arguments: [
        "Z", "Zg", "Zg=", "Zg===", "Z===", "====", "=", "Zm9v=", "Zm9vZ", "Zg==Zg==", "Z=g=", "Zm 9",
        "Zm9v\n",
    ])
    func `base 64 with other padding, or with something else in it, is refused`(text: String) {
        #expect(BaseN.base64.decode(text.utf8) == nil)
    }

    @Test func `lengths that no bytes have are refused`() {
        for count in [1, 3, 5] { #expect(BaseN.hexadecimal.decode(repeatElement(0x30, count: count)) == nil) }
        for count in [1, 3, 6] { #expect(Self.base32.decode(repeatElement(0x30, count: count)) == nil) }
        for count in [1, 5, 9] {
            #expect(Self.adaptedBase64.decode(repeatElement(0x41, count: count)) == nil)
        }
        var bytes: [UInt8] = [0, 0]
        let read = Array("AAAA".utf8).withUnsafeBytes { text in
            bytes.withUnsafeMutableBytes { BaseN.base64.decode(text, into: $0) }
        }
        #expect(!read, "four characters are three bytes")
    }
}
