import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct HMACTests {
    struct Vector: Sendable {
        let name: String
        let key: [UInt8]
        let message: [UInt8]
        let codes: [String]
    }

    /// RFC 4231 sections 4.2, 4.3 and 4.7.
    static let vectors = [
        Vector(
            name: "RFC 4231, 4.2", key: [UInt8](repeating: 0x0B, count: 20), message: Array("Hi There".utf8),
            codes: [
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
                "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59c"
                    + "faea9ea9076ede7f4af152e8b2fa9cb6",
                "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde"
                    + "daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
            ]),
        Vector(
            name: "RFC 4231, 4.3", key: Array("Jefe".utf8),
            message: Array("what do ya want for nothing?".utf8),
            codes: [
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
                    + "8e2240ca5e69e2c78b3239ecfab21649",
                "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
                    + "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
            ]),
        Vector(
            name: "RFC 4231, 4.7: a key longer than a block", key: [UInt8](repeating: 0xAA, count: 131),
            message: Array("Test Using Larger Than Block-Size Key - Hash Key First".utf8),
            codes: [
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
                "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c6"
                    + "0c2ef6ab4030fe8296248df163f44952",
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352"
                    + "6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ]),
    ]

    @Test(arguments: vectors) func `codes are those of RFC 4231`(vector: Vector) throws {
        let key = SecretBytes(copying: vector.key)
        for (hash, code) in zip([HMAC.Hash.sha256, .sha384, .sha512], vector.codes) {
            #expect(
                try HMAC.authenticationCode(for: vector.message, using: key, hash: hash) == bytes(hex: code))
            #expect(try HMAC.isValid(bytes(hex: code), for: vector.message, using: key, hash: hash))
        }
    }

    @Test(arguments: HMAC.Hash.allCases)
    func `a message given in pieces has the code of the whole`(hash: HMAC.Hash) throws {
        let key = secret("key")
        var random = TestRandom(state: 1)
        let message = random.bytes(1_000)
        var mac = try HMAC(key: key, hash: hash)
        for piece in [0..<1, 1..<1, 1..<128, 128..<999, 999..<1_000] { try mac.update(message[piece]) }
        let code = try mac.finalize()
        #expect(try code == HMAC.authenticationCode(for: message, using: key, hash: hash))
        #expect(code.count == hash.byteCount)
        var asSecret = try HMAC(key: key, hash: hash)
        try asSecret.update(SecretBytes(copying: message))
        #expect(try asSecret.finalizeSecret().revealed == code)
    }

    @Test func `an empty key and an empty message have a code`() throws {
        // HMAC pads its key with zeros: the empty key and the key of one zero byte are the same key.
        let empty = try HMAC.authenticationCode(for: [], using: SecretBytes(copying: []), hash: .sha256)
        #expect(empty == bytes(hex: "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"))
    }

    @Test func `p101_ a code that is changed, shortened or lengthened is not valid`() throws {
        let key = secret("key")
        let code = try HMAC.authenticationCode(for: "message".utf8, using: key, hash: .sha256)
        func isValid(_ code: [UInt8]) throws -> Bool {
            try HMAC.isValid(code, for: "message".utf8, using: key, hash: .sha256)
        }
        #expect(try isValid(code))
        for index in code.indices { #expect(try !isValid(code.flipping(index, bit: 3))) }
        #expect(try !isValid(Array(code.dropLast())))
        #expect(try !isValid(code + [0]))
        #expect(try !isValid([]))
        #expect(try !HMAC.isValid(code, for: "messagf".utf8, using: key, hash: .sha256))
        #expect(try !HMAC.isValid(code, for: "message".utf8, using: secret("kez"), hash: .sha256))
    }

    @Test(arguments: HMAC.Hash.allCases) func `codes are those of openssl`(hash: HMAC.Hash) throws {
        var random = TestRandom(state: 42)
        for (keyLength, messageLength) in [(1, 0), (32, 1), (64, 63), (65, 1_000), (128, 128), (200, 70_000)]
        {
            let (key, message) = (random.bytes(keyLength), random.bytes(messageLength))
            let answer = try OpenSSL.run(
                ["dgst", "-\(hash)", "-mac", "HMAC", "-macopt", "hexkey:\(OpenSSL.hex(key))", "-binary"],
                input: message)
            #expect(
                try HMAC.authenticationCode(for: message, using: SecretBytes(copying: key), hash: hash)
                    == answer.output)
        }
    }
}
