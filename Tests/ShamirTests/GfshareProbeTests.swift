import Foundation
import PDSecrets
import Testing

@testable import PDShamir

@Suite("Texts and libgfshare's shares")
struct GfshareProbeTests {
    private static func isText(_ bytes: some Sequence<UInt8>) -> Bool {
        SecretBytes(copying: Array(bytes)).withUnsafeBytes {
            GfshareProbe.isText(UnsafeRawBufferPointer(rebasing: $0.prefix(GfshareProbe.startBytes)))
        }
    }

    @Test func nativeSharesAreTextHoweverTheyWereSpoiled() throws {
        let text = try Sample().text(1)
        let label = try ShareSet.sample(label: String(repeating: "ключ", count: 12)).split(
            SecretBytes(copying: Sample.secret), randomness: CountingRandomness(seed: 3),
            cryptography: TestCryptography()
        )[0].text
        for text in [text, label] {
            let broken = text.replacingOccurrences(of: "PENGUINDOME", with: "PENGUINDOM")
            let latin1 = try #require("für Jürgen, schöne Grüße\n".data(using: .isoLatin1)) + Data(text.utf8)
            #expect(Self.isText(latin1))
            for variant in [
                text, text.lowercased(), "\u{feff}" + text, String(repeating: "\r\n \t", count: 2000) + text,
                "> " + text, "für Jürgen\n" + text, broken, broken.lowercased(), "\u{feff}" + broken,
                "日本語日本語日本語日本語日本語日本語日本語日本語日本語日本語\n" + broken,
            ] {
                #expect(Self.isText(variant.utf8), "\(variant)")
                for encoding in [String.Encoding.utf16, .utf16LittleEndian, .utf16BigEndian]
                where !variant.hasPrefix("日") && !(encoding == .utf16 && variant.hasPrefix("\u{feff}")) {
                    #expect(
                        Self.isText(try #require(variant.data(using: encoding))), "\(encoding): \(variant)")
                }
            }
        }
        #expect(Self.isText("-----Begin Penguindome Share-----".utf8), "however short")
        // A character that is cut off at the end of what is looked at.
        for filling in 120...128 {
            #expect(Self.isText((String(repeating: "x", count: filling) + "€€€€").utf8))
        }
    }

    @Test func bareBytesAreNoText() throws {
        let generator = CountingRandomness(seed: 40)
        for count in [0, 1, 16, 32, 63, 64, 65, 128, 256, 5000] {
            for _ in 0..<200 { #expect(!Self.isText((0..<count).map { _ in generator.nextByte() })) }
        }
        #expect(!Self.isText([UInt8](repeating: 0x41, count: 63)), "too short to tell")
        #expect(Self.isText([UInt8](repeating: 0x41, count: 64)))
        for byte in [UInt8(0), 1, 0x7f, 0x80, 0xff] {
            #expect(!Self.isText([UInt8](repeating: byte, count: 256)))
            for place in [0, 1, 31, 63] {
                var bytes = [UInt8](repeating: 0x41, count: 64)
                bytes[place] = byte
                if place < 61 || byte < 0x80 { #expect(!Self.isText(bytes), "\(byte) at \(place)") }
            }
        }
    }
}
