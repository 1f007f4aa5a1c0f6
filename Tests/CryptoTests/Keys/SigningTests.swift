import Foundation
import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct SigningTests {
    typealias PrivateKey = Curve25519.Signing.PrivateKey
    typealias PublicKey = Curve25519.Signing.PublicKey

    struct Vector: Sendable {
        let name, seed, publicKey, message, signature: String
    }

    /// RFC 8032 section 7.1.
    static let vectors = [
        Vector(
            name: "TEST 1", seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
            publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", message: "",
            signature: """
                e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155
                5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
                """),
        Vector(
            name: "TEST 2", seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
            publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", message: "72",
            signature: """
                92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da
                085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
                """),
        Vector(
            name: "TEST 3", seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
            publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", message: "af82",
            signature: """
                6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac
                18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a
                """),
    ]

    @Test(arguments: vectors) func `keys and signatures are those of RFC 8032, section 7.1`(vector: Vector)
        throws
    {
        let key = try PrivateKey(rawRepresentation: secret(hex: vector.seed))
        #expect(key.publicKey.rawRepresentation == bytes(hex: vector.publicKey))
        #expect(try key.signature(for: bytes(hex: vector.message)) == bytes(hex: vector.signature))
        #expect(
            try key.publicKey.isValidSignature(bytes(hex: vector.signature), for: bytes(hex: vector.message)))
    }

    @Test func `any changed bit of signature, message or key is refused`() throws {
        let key = try PrivateKey(rawRepresentation: SecretBytes(copying: 1...32))
        let message = Array("message".utf8)
        let signature = try key.signature(for: message)
        for index in signature.indices {
            #expect(
                try !key.publicKey.isValidSignature(
                    signature.flipping(index, bit: UInt8(index % 8)), for: message))
        }
        for index in message.indices {
            #expect(try !key.publicKey.isValidSignature(signature, for: message.flipping(index)))
        }
        for index in 0..<32 {
            // About half of the changed keys are no points.
            guard
                let other = try? PublicKey(rawRepresentation: key.publicKey.rawRepresentation.flipping(index))
            else { continue }
            #expect(try !other.isValidSignature(signature, for: message))
        }
        #expect(try !key.publicKey.isValidSignature(signature, for: []))
    }

    @Test func `p43_ a signature of another length is not valid`() throws {
        let key = try PrivateKey(rawRepresentation: SecretBytes(copying: 1...32))
        let signature = try key.signature(for: [1])
        for other in [[], Array(signature.dropLast()), signature + [0], Array(signature.prefix(32))] {
            #expect(try !key.publicKey.isValidSignature(other, for: [1]))
        }
    }

    @Test func `p43_ S plus the group order is not valid, though the equation holds`() throws {
        let key = try PrivateKey(rawRepresentation: SecretBytes(copying: 1...32))
        let signature = try key.signature(for: [1])
        let order = bytes(hex: "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010")
        var (malleated, carry) = (signature, 0)
        for index in 0..<32 {
            let sum = Int(signature[32 + index]) + Int(order[index]) + carry
            malleated[32 + index] = UInt8(truncatingIfNeeded: sum)
            carry = sum >> 8
        }
        #expect(try !key.publicKey.isValidSignature(malleated, for: [1]))
        // The order itself is the first value that is refused: S = L stands for zero.
        #expect(try !key.publicKey.isValidSignature(signature[..<32] + order, for: [1]))
    }

    @Test(arguments: [0, 31, 33, 64]) func `keys that are not 32 bytes are refused`(count: Int) throws {
        let secret = SecretBytes(count: count) { _ in }
        #expect(throws: CryptoError.byteCount(of: .key, count)) { try PrivateKey(rawRepresentation: secret) }
        #expect(throws: CryptoError.byteCount(of: .key, count)) {
            try PublicKey(rawRepresentation: [UInt8](repeating: 9, count: count))
        }
    }

    /// Points with a coordinate of 2, 64, 128, 191 and 192 bits: libgcrypt 1.10 ends the process over them.
    static let shortPoints = [
        "3126711e11ef574692935381d2cd2bbab5dd113c4010f91fd7c4dd7b12bf431a",
        "0300000000000000000000000000000000000000000000000000000000000000",
        "a04fdde758d2d45f3a718974adb5108cb1ddffc3d1c5b056cbb2fbc9bb4891b0",
        "0100000000000080000000000000000000000000000000000000000000000080",
        "36692d6209eb4c56313fdb03f1e15990b8b2553f449bd6cfa08ecfa5c09f2f74",
        "0200000000000000000000000000008000000000000000000000000000000080",
        "436c5564e54b961b8da9be86626042a2e94e85c68106702680ce690ad0bd036f",
        "0100000000000000000000000000000000000000000000400000000000000000",
        "f4c1919e9fe158a87f648d8c1015a0df40b807ce371c98b7f2579532c0698145",
        "0200000000000000000000000000000000000000000000800000000000000080",
    ]

    @Test(arguments: shortPoints) func `a key that would stop the process is refused`(point: String) {
        #expect(throws: CryptoError.invalidPublicKey) {
            try PublicKey(rawRepresentation: bytes(hex: point))
        }
    }

    /// The eight points of order 1, 2, 4 and 8.
    static let lowOrderPoints = [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    ]

    @Test(arguments: lowOrderPoints) func `p43_ a key of low order, under which anyone can sign, is refused`(
        point: String
    ) {
        #expect(throws: CryptoError.invalidPublicKey) {
            try PublicKey(rawRepresentation: bytes(hex: point))
        }
    }

    @Test func `p43_ an encoding that is not canonical, or no point at all, is refused`() {
        // p, p + 1 (which stand for 0 and 1), 2^255 - 1, 1 with the sign of a zero, and a y without an x.
        for point in [
            "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
            "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
            "0100000000000000000000000000000000000000000000000000000000000080",
            "0200000000000000000000000000000000000000000000000000000000000000",
        ] {
            #expect(throws: CryptoError.invalidPublicKey, "\(point)") {
                try PublicKey(rawRepresentation: bytes(hex: point))
            }
        }
    }

    @Test(arguments: UInt8(0)..<19) func `p43_ a y that is not below the prime is refused`(excess: UInt8) {
        for sign in [0x7F, 0xFF] as [UInt8] {
            let encoded = [0xED + excess] + [UInt8](repeating: 0xFF, count: 30) + [sign]
            #expect(throws: CryptoError.invalidPublicKey) { try PublicKey(rawRepresentation: encoded) }
        }
    }

    @Test func `new keys differ, and are the bytes that the source gave`() throws {
        #expect(
            try PrivateKey(random: FixedRandom()).rawRepresentation.revealed
                == [UInt8](repeating: 0xA5, count: 32))
        let keys = try (0..<5).map { _ in try PrivateKey(random: SecureRandom(.sessionKey)).publicKey }
        #expect(Set(keys).count == 5)
    }

    @Test func `openssl verifies our signatures, and we verify those of openssl`() throws {
        var random = TestRandom(state: 3)
        for count in [1, 32, 10_000] {
            let (seed, message) = (random.bytes(32), random.bytes(count))
            let key = try PrivateKey(rawRepresentation: SecretBytes(copying: seed))
            try withTemporaryFolder { folder in
                func file(_ name: String, _ bytes: [UInt8]) throws -> String {
                    try Data(bytes).write(to: folder.appending(path: name))
                    return folder.appending(path: name).path
                }
                // PKCS #8 and SubjectPublicKeyInfo (RFC 8410 sections 4 and 7).
                let privateFile = try file("key", bytes(hex: "302e020100300506032b657004220420") + seed)
                let publicFile = try file(
                    "pub", bytes(hex: "302a300506032b6570032100") + key.publicKey.rawRepresentation)
                let messageFile = try file("message", message)
                let theirs = try OpenSSL.run([
                    "pkeyutl", "-sign", "-rawin", "-keyform", "DER", "-inkey", privateFile, "-in",
                    messageFile,
                ])
                #expect(theirs.status == 0)
                #expect(try key.publicKey.isValidSignature(theirs.output, for: message))
                let ours = try file("signature", key.signature(for: message))
                let verdict = try OpenSSL.run([
                    "pkeyutl", "-verify", "-rawin", "-keyform", "DER", "-pubin", "-inkey", publicFile,
                    "-in", messageFile, "-sigfile", ours,
                ])
                #expect(verdict.status == 0)
            }
        }
    }

    struct Group: Decodable {
        struct Key: Decodable { let pk: String }
        struct Case: Decodable {
            let tcId: Int
            let msg, sig, result: String
        }
        let publicKey: Key
        let tests: [Case]
    }

    @Test(.enabled(if: ExternalVectors.isSet, ExternalVectors.comment))
    func `p43_ Wycheproof agrees about Ed25519`() throws {
        let file = try ExternalVectors.decode(
            Wycheproof<Group>.self, "Signature/wycheproof/ed25519_test.json")
        var count = 0
        for group in file.testGroups {
            // A key that is refused has no valid signatures.
            let key = try? PublicKey(rawRepresentation: bytes(hex: group.publicKey.pk))
            for test in group.tests {
                let isValid =
                    try key?.isValidSignature(bytes(hex: test.sig), for: bytes(hex: test.msg)) ?? false
                // "acceptable": keys with a component of low order, about which RFC 8032 leaves the choice.
                #expect(
                    isValid == (test.result == "valid") || test.result == "acceptable", "tcId \(test.tcId)")
                count += 1
            }
        }
        #expect(count == file.numberOfTests)
    }
}
