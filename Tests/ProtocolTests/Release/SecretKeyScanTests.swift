import Foundation
import Testing

@testable import PDProtocol

@Suite("The search for secret keys")
struct SecretKeyScanTests {
    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../../vectors/secret-keys").standardized

    struct Sample: CustomTestStringConvertible, Sendable {
        let name: String
        let bytes: [UInt8]
        var testDescription: String { name }
    }

    private static func samples(_ kind: String) throws -> [Sample] {
        try FileManager.default.contentsOfDirectory(atPath: folder.appending(path: kind).path).sorted().map {
            Sample(name: $0, bytes: Array(try Data(contentsOf: folder.appending(path: "\(kind)/\($0)"))))
        }
    }

    /// Forms that no tool here writes.
    private static let others: [Sample] = [
        Sample(
            name: "version 6 (RFC 9580, A.4)",
            bytes: Array(
                Data(
                    base64Encoded:
                        "xUsGY4d/4xsAAAAg+U2nu0jWCmHlZ3BqZYfQMxmZu52JGggkLq2EVD34laMAGXKBexK+cH6NX1hs5hNhIB00TrJmosgv3mg1ditlsLc="
                ) ?? Data())),
        Sample(
            name: "PuTTY",
            bytes: Array(
                "PuTTY-User-Key-File-3: ssh-ed25519\r\nEncryption: none\r\nComment: a\r\n".utf8)),
        Sample(
            name: "gpg-agent, canonical",
            bytes: Array("(11:private-key(3:ecc(5:curve7:Ed25519)(5:flags5:eddsa)(1:q33:".utf8)),
        Sample(
            name: "ssh.com",
            bytes: Array(
                "---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: \"a\"\nP2/56wAAAi4AAAA3aWYtbW9kbntzaWdue3JzYS1wa2NzMS1zaGExfSxlbmNyeXB0\n"
                    .utf8)),
        Sample(
            name: "share",
            bytes: Array(
                "-----BEGIN PENGUINDOME SHARE-----\nFormat: 1 abcd\nSet: 7f2k-9m4q-2x8d-k3jr\nabcdefgh-abcdefgh\n"
                    .utf8)),
    ]

    private static let secrets = Result { try samples("secret") + others }
    private static let publics = Result { try samples("public") }

    /// Ways in which a key lies in a file.
    enum Wrapping: CaseIterable, CustomTestStringConvertible {
        case alone, amongBytes, amongText, base64, base64InLines, base64Twice, yaml, json, utf16, acrossPieces

        var testDescription: String { "\(self)" }

        func around(_ key: [UInt8]) -> [UInt8] {
            let base64 = Data(key).base64EncodedString()
            let lines = Data(key).base64EncodedString(options: [
                .lineLength76Characters, .endLineWithLineFeed,
            ])
            switch self {
            case .alone: return key
            case .amongBytes: return [0, 1, 0xff, 0x30, 0x94, 0xc5] + key + [0, 0x7f, 9]
            case .amongText: return Array("Here it is:\n\n".utf8) + key + Array("\nKeep it.\n".utf8)
            case .base64: return Array("{\"key\": \"\(base64)\"}".utf8)
            case .base64InLines: return Array("the key is\n\(lines)\nand that is all\n".utf8)
            case .base64Twice: return Array(Data(base64.utf8).base64EncodedString().utf8)
            case .yaml:
                let text = lines.split(separator: "\n").map { "    \($0)\n" }.joined()
                return Array("data:\n  key: |\n\(text)  other: 1\n".utf8)
            case .json:
                let text = lines.replacingOccurrences(of: "\n", with: "\\n")
                return Array("{\"key\": \"\(text)\"}".utf8)
            case .utf16: return [0xff, 0xfe] + base64.utf16.flatMap { [UInt8($0 & 0xff), UInt8($0 >> 8)] }
            // Its first half ends the first piece.
            case .acrossPieces:
                return [UInt8](
                    repeating: 0x2e, count: SecretKeyScan.window + SecretKeyScan.overlap - key.count / 2)
                    + key
            }
        }
    }

    @Test(
        "p137_a secret key is found in every form, wherever it lies in a file", arguments: try secrets.get(),
        Wrapping.allCases)
    func found(sample: Sample, wrapping: Wrapping) {
        #expect(SecretKeyScan.find(in: wrapping.around(sample.bytes)) != nil)
    }

    @Test(
        "p137_text that holds a key in ASCII armor may have it indented, or with its line breaks escaped",
        arguments: try secrets.get().filter { $0.bytes.starts(with: "-----BEGIN ".utf8) })
    func armored(sample: Sample) {
        let text = String(decoding: sample.bytes, as: UTF8.self)
        let indented = text.split(separator: "\n", omittingEmptySubsequences: false).map { "    \($0)" }
        #expect(SecretKeyScan.find(in: Array("key: |\n\(indented.joined(separator: "\n"))".utf8)) != nil)
        let escaped = text.replacingOccurrences(of: "\n", with: "\\n")
        #expect(SecretKeyScan.find(in: Array("{\"key\": \"\(escaped)\"}".utf8)) != nil)
        let crossed = text.replacingOccurrences(of: "\n", with: "\r\n")
        #expect(SecretKeyScan.find(in: Array(crossed.utf8)) != nil)
    }

    @Test(
        "p137_public keys, certificates and signatures are no secret keys", arguments: try publics.get(),
        Wrapping.allCases)
    func harmless(sample: Sample, wrapping: Wrapping) {
        #expect(SecretKeyScan.find(in: wrapping.around(sample.bytes)) == nil)
    }

    @Test(
        "a program or a document that only names the forms holds no key",
        arguments: [
            "if line == \"-----BEGIN PRIVATE KEY-----\" { return ConfigurationFileThatIsLongEnough }",
            "Paste what stands from -----BEGIN PGP PRIVATE KEY BLOCK----- to -----END PGP PRIVATE KEY BLOCK-----.",
            "-----BEGIN PRIVATE KEY-----\0$s11PDProtocol14SecretKeyScanOthatIsLong\0",
            "-----BEGIN OPENSSH PRIVATE KEY-----\n…\n-----END OPENSSH PRIVATE KEY-----\n$s11PDProtocol14SecretKeyScan",
            "AGE-SECRET-KEY-1\0", "openssh-key-v1\0none\0bcrypt",
            "(private-key(ecc(curve Ed25519)(flags eddsa)",
            "PuTTY-User-Key-File-\0", "(20:shadowed-private-key(3:ecc", "shadowed-private-key (rsa",
        ])
    func named(text: String) {
        #expect(SecretKeyScan.find(in: Array(text.utf8)) == nil)
    }

    @Test("a stub for a key that is on a card, or elsewhere, is no key")
    func stub() throws {
        // The primary key's packet of an export of subkeys alone.
        let subkeys = try #require(try Self.secrets.get().first { $0.name == "openpgp-subkeys.gpg" }).bytes
        let primary = try #require(subkeys.first == 0x94 ? Array(subkeys.prefix(2 + Int(subkeys[1]))) : nil)
        #expect(primary.suffix(8).contains(UInt8(ascii: "G")))
        #expect(SecretKeyScan.find(in: primary) == nil)
    }

    @Test("bytes by chance are taken for no key")
    func chance() {
        var state: UInt64 = 0x9e37_79b9_7f4a_7c15
        var bytes: [UInt8] = []
        bytes.reserveCapacity(4 << 20)
        for _ in 0..<(4 << 20) / 8 {
            // xorshift64*
            state ^= state >> 12
            state ^= state << 25
            state ^= state >> 27
            withUnsafeBytes(of: state &* 0x2545_f491_4f6c_dd1d) { bytes.append(contentsOf: $0) }
        }
        #expect(SecretKeyScan.find(in: bytes) == nil)
    }

    @Test(
        "the places where GnuPG keeps secret keys are known by their names",
        arguments: [
            ("private-keys-v1.d/A.key", true), ("home/.gnupg/private-keys-v1.d/A.key", true),
            ("keys/secring.gpg", true), ("keys/pubring.kbx", false), ("doc/private-keys-v1.d.txt", false),
        ])
    func places(path: String, isSecret: Bool) {
        #expect((SecretKeyScan.find(named: path) != nil) == isSecret)
    }

    @Test("a file that is read piece by piece is looked at whole, and not kept")
    func pieces() throws {
        let key = try #require(try Self.secrets.get().first { $0.name == "sec1.der" }).bytes
        let file = Wrapping.acrossPieces.around(key)
        var largest = 0
        let form = SecretKeyScan.find(size: file.count) { offset, count in
            largest = max(largest, count)
            return Array(file[offset..<offset + count])
        }
        #expect(form == .sec1)
        #expect(largest <= SecretKeyScan.window + SecretKeyScan.overlap)
    }
}
