import Foundation
import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct KeyAgreementTests {
    typealias PrivateKey = Curve25519.KeyAgreement.PrivateKey
    typealias PublicKey = Curve25519.KeyAgreement.PublicKey

    private func agree(_ scalar: [UInt8], _ point: [UInt8]) throws -> [UInt8] {
        try PrivateKey(rawRepresentation: SecretBytes(copying: scalar))
            .sharedSecretFromKeyAgreement(with: PublicKey(rawRepresentation: point)).bytes.revealed
    }

    @Test(arguments: [
        (
            "a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
            "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
            "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
        ),
        (
            "4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
            "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
            "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"
        ),
    ])
    func `products are those of RFC 7748, section 5.2`(scalar: String, point: String, product: String) throws
    {
        #expect(try agree(bytes(hex: scalar), bytes(hex: point)) == bytes(hex: product))
    }

    @Test func `a hundred iterations, and then nine hundred more, are those of RFC 7748, section 5.2`() throws
    {
        var (scalar, point) = ([9] + [UInt8](repeating: 0, count: 31), [9] + [UInt8](repeating: 0, count: 31))
        for iteration in 1...1_000 {
            (scalar, point) = (try agree(scalar, point), scalar)
            if iteration == 1 {
                #expect(
                    scalar == bytes(hex: "422c8e7a6227d7bca1350b3e2bb7279f7897b87bb6854b783c60e80311ae3079"))
            }
        }
        #expect(scalar == bytes(hex: "684cf59ba83309552800ef566f2f4d3c1c3887c49360e3875f2eb94d99532c51"))
    }

    @Test func `both sides agree on the secret of RFC 7748, section 6.1`() throws {
        let alice = try PrivateKey(
            rawRepresentation: secret(hex: "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
        )
        let bob = try PrivateKey(
            rawRepresentation: secret(hex: "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")
        )
        #expect(
            alice.publicKey.rawRepresentation
                == bytes(hex: "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        #expect(
            bob.publicKey.rawRepresentation
                == bytes(hex: "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f"))
        let secrets = try (
            alice.sharedSecretFromKeyAgreement(with: bob.publicKey),
            bob.sharedSecretFromKeyAgreement(with: alice.publicKey)
        )
        #expect(secrets.0.bytes == secrets.1.bytes)
        #expect(
            secrets.0.bytes.revealed
                == bytes(hex: "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"))
        let keys = try (
            secrets.0.hkdfDerivedSymmetricKey(salt: [1], sharedInfo: "info".utf8),
            secrets.1.hkdfDerivedSymmetricKey(salt: [1], sharedInfo: "info".utf8),
            secrets.1.hkdfDerivedSymmetricKey(salt: [1], sharedInfo: "other".utf8)
        )
        #expect(keys.0 == keys.1)
        #expect(keys.0 != keys.2)
    }

    /// The points of order 1, 2, 4 and 8 of the curve and its twist, also in their encodings above the prime.
    static let lowOrderPoints = [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ]

    @Test(arguments: lowOrderPoints, [0x00, 0x80] as [UInt8])
    func `p90_ a point of low order is refused, also with the ignored bit set`(point: String, bit: UInt8)
        throws
    {
        var encoded = bytes(hex: point)
        encoded[31] |= bit
        #expect(throws: CryptoError.lowOrderPoint) { try agree(Array(1...32), encoded) }
    }

    @Test(arguments: [0, 31, 33]) func `keys that are not 32 bytes are refused`(count: Int) throws {
        let secret = SecretBytes(count: count) { _ in }
        #expect(throws: CryptoError.byteCount(of: .key, count)) { try PrivateKey(rawRepresentation: secret) }
        #expect(throws: CryptoError.byteCount(of: .key, count)) {
            try PublicKey(rawRepresentation: [UInt8](repeating: 9, count: count))
        }
    }

    @Test func `openssl derives the same secret`() throws {
        var random = TestRandom(state: 8)
        for _ in 0..<3 {
            let (ours, theirs) = (random.bytes(32), random.bytes(32))
            let peer = try PrivateKey(rawRepresentation: SecretBytes(copying: theirs)).publicKey
            try withTemporaryFolder { folder in
                let (keyFile, peerFile) = (folder.appending(path: "key"), folder.appending(path: "peer"))
                try Data(bytes(hex: "302e020100300506032b656e04220420") + ours).write(to: keyFile)
                try Data(bytes(hex: "302a300506032b656e032100") + peer.rawRepresentation).write(to: peerFile)
                let answer = try OpenSSL.run([
                    "pkeyutl", "-derive", "-keyform", "DER", "-inkey", keyFile.path, "-peerform", "DER",
                    "-peerkey", peerFile.path,
                ])
                #expect(try agree(ours, peer.rawRepresentation) == answer.output)
            }
        }
    }

    struct Group: Decodable {
        struct Case: Decodable {
            let tcId: Int
            let `public`, `private`, shared, result: String
        }
        let tests: [Case]
    }

    @Test(.enabled(if: ExternalVectors.isSet, ExternalVectors.comment))
    func `p90_ Wycheproof agrees about X25519`() throws {
        let file = try ExternalVectors.decode(Wycheproof<Group>.self, "Protocol/wycheproof/x25519_test.json")
        var refused = 0
        for test in file.testGroups.flatMap(\.tests) {
            let shared = bytes(hex: test.shared)
            let result = Result { try agree(bytes(hex: test.private), bytes(hex: test.public)) }
            if shared.allSatisfy({ $0 == 0 }) {
                #expect(throws: CryptoError.lowOrderPoint, "tcId \(test.tcId)") { try result.get() }
                refused += 1
            } else {
                #expect(try result.get() == shared, "tcId \(test.tcId)")
            }
        }
        #expect(refused > 10)
    }
}
