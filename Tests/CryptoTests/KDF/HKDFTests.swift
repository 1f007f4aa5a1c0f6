import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct HKDFTests {
    struct Vector: Sendable {
        let name: String
        let ikm: [UInt8]
        let salt: [UInt8]
        let info: [UInt8]
        let prk: String
        let okm: String
    }

    static let vectors = [
        Vector(
            name: "RFC 5869, A.1", ikm: [UInt8](repeating: 0x0B, count: 22), salt: Array(0x00...0x0C),
            info: Array(0xF0...0xF9), prk: "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            okm: "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
        Vector(
            name: "RFC 5869, A.2", ikm: Array(0x00...0x4F), salt: Array(0x60...0xAF),
            info: Array(0xB0...0xFF),
            prk: "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            okm: """
                b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271
                cb41c65e590e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87
                """),
        Vector(
            name: "RFC 5869, A.3", ikm: [UInt8](repeating: 0x0B, count: 22), salt: [], info: [],
            prk: "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            okm: "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
    ]

    @Test(arguments: vectors) func `keys are those of RFC 5869`(vector: Vector) throws {
        let material = SecretBytes(copying: vector.ikm)
        let expected = bytes(hex: vector.okm)
        let prk = try HKDF.extract(inputKeyMaterial: material, salt: vector.salt)
        #expect(prk.revealed == bytes(hex: vector.prk))
        let okm = try HKDF.expand(pseudoRandomKey: prk, info: vector.info, outputByteCount: expected.count)
        #expect(okm.revealed == expected)
        let both = try HKDF.deriveKey(
            inputKeyMaterial: material, salt: vector.salt, info: vector.info, outputByteCount: expected.count)
        #expect(both == okm)
    }

    @Test(arguments: HMAC.Hash.allCases)
    func `the output may have 255 times the length of the hash, and not a byte more`(hash: HMAC.Hash) throws {
        let most = 255 * hash.byteCount
        let longest = try HKDF.deriveKey(
            inputKeyMaterial: secret("ikm"), info: "info".utf8, outputByteCount: most, hash: hash)
        let shorter = try HKDF.deriveKey(
            inputKeyMaterial: secret("ikm"), info: "info".utf8, outputByteCount: hash.byteCount + 1,
            hash: hash)
        #expect(longest.count == most)
        #expect(longest.revealed.starts(with: shorter.revealed))
        for count in [most + 1, 0, -1, Int.max] {
            #expect(throws: CryptoError.byteCount(of: .derivedKey, count)) {
                try HKDF.deriveKey(
                    inputKeyMaterial: secret("ikm"), info: [], outputByteCount: count, hash: hash)
            }
        }
    }

    @Test func `a pseudorandom key shorter than the hash is refused`() throws {
        #expect(throws: CryptoError.byteCount(of: .pseudoRandomKey, 31)) {
            try HKDF.expand(
                pseudoRandomKey: SecretBytes(copying: [UInt8](repeating: 1, count: 31)), info: [],
                outputByteCount: 32)
        }
    }

    @Test(arguments: HMAC.Hash.allCases) func `keys are those of openssl`(hash: HMAC.Hash) throws {
        var random = TestRandom(state: 9)
        for (saltLength, infoLength, count) in [(1, 1, 16), (32, 0, 32), (200, 100, 1_000)] {
            let (material, salt, info) = (
                random.bytes(40), random.bytes(saltLength), random.bytes(infoLength)
            )
            var arguments = ["kdf", "-keylen", "\(count)", "-kdfopt", "digest:\(hash)", "-binary"]
            arguments += [
                "-kdfopt", "hexkey:\(OpenSSL.hex(material))", "-kdfopt", "hexsalt:\(OpenSSL.hex(salt))",
            ]
            if infoLength > 0 { arguments += ["-kdfopt", "hexinfo:\(OpenSSL.hex(info))"] }
            let answer = try OpenSSL.run(arguments + ["HKDF"])
            let key = try HKDF.deriveKey(
                inputKeyMaterial: SecretBytes(copying: material), salt: salt, info: info,
                outputByteCount: count,
                hash: hash)
            #expect(key.revealed == answer.output)
        }
    }

    struct Group: Decodable {
        struct Case: Decodable {
            let tcId: Int
            let ikm, salt, info, okm, result: String
            let size: Int
        }
        let tests: [Case]
    }

    @Test(
        .enabled(if: ExternalVectors.isSet, ExternalVectors.comment),
        arguments: [("256", HMAC.Hash.sha256), ("384", .sha384), ("512", .sha512)])
    func `Wycheproof agrees`(name: String, hash: HMAC.Hash) throws {
        let file = try ExternalVectors.decode(
            Wycheproof<Group>.self, "Protocol/wycheproof/hkdf_sha\(name)_test.json")
        for test in file.testGroups.flatMap(\.tests) {
            let key = try? HKDF.deriveKey(
                inputKeyMaterial: secret(hex: test.ikm), salt: bytes(hex: test.salt),
                info: bytes(hex: test.info),
                outputByteCount: test.size, hash: hash)
            #expect((key != nil) == (test.result == "valid"), "tcId \(test.tcId)")
            if let key { #expect(key.revealed == bytes(hex: test.okm), "tcId \(test.tcId)") }
        }
    }
}
