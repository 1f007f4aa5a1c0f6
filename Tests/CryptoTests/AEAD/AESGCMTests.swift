import CGcrypt
import Foundation
import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct AESGCMTests {
    struct Vector: Sendable {
        let name: String
        let key, nonce, associated, message, ciphertext, tag: String
    }

    /// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B: the cases with 256-bit keys and
    /// 96-bit nonces.
    static let vectors = [
        Vector(
            name: "test case 13", key: String(repeating: "00", count: 32),
            nonce: String(repeating: "00", count: 12),
            associated: "", message: "", ciphertext: "", tag: "530f8afbc74536b9a963b4f1c4cb738b"),
        Vector(
            name: "test case 14", key: String(repeating: "00", count: 32),
            nonce: String(repeating: "00", count: 12),
            associated: "", message: String(repeating: "00", count: 16),
            ciphertext: "cea7403d4d606b6e074ec5d3baf39d18", tag: "d0d1c8a799996bf0265b98b5d48ab919"),
        Vector(
            name: "test case 16", key: String(repeating: "feffe9928665731c6d6a8f9467308308", count: 2),
            nonce: "cafebabefacedbaddecaf888", associated: "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            message: """
                d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72
                1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39
                """,
            ciphertext: """
                522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa
                8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662
                """, tag: "76fc6ece0f4e1768cddf8853bb2d551b"),
    ]

    @Test(arguments: vectors) func `boxes are those of the GCM specification`(vector: Vector) throws {
        let (key, message) = (secret(hex: vector.key), bytes(hex: vector.message))
        let associated = bytes(hex: vector.associated)
        let sealed = try AES.GCM.seal(
            message, using: key, nonce: bytes(hex: vector.nonce), authenticating: associated)
        #expect(Array(sealed.nonce) == bytes(hex: vector.nonce))
        #expect(Array(sealed.ciphertext) == bytes(hex: vector.ciphertext))
        #expect(Array(sealed.tag) == bytes(hex: vector.tag))
        #expect(try AES.GCM.open(sealed, using: key, authenticating: associated).revealed == message)
    }

    private static let key: [UInt8] = Array(0..<32)

    private func seal(_ message: [UInt8], _ associated: [UInt8] = []) throws -> AES.GCM.SealedBox {
        try AES.GCM.seal(
            message, using: SecretBytes(copying: Self.key), authenticating: associated,
            random: SecureRandom(.nonce))
    }

    @Test(arguments: [0, 1, 15, 16, 17, 4_096, 100_000])
    func `what was sealed can be opened`(count: Int) throws {
        var random = TestRandom(state: UInt64(count))
        let (message, associated) = (random.bytes(count), random.bytes(count % 100))
        let key = SecretBytes(copying: Self.key)
        let box = try seal(message, associated)
        #expect(box.combined.count == 12 + count + 16)
        #expect(try AES.GCM.open(box, using: key, authenticating: associated).revealed == message)
        let again = try AES.GCM.SealedBox(nonce: box.nonce, ciphertext: box.ciphertext, tag: box.tag)
        #expect(again == box)
        #expect(try AES.GCM.SealedBox(combined: box.combined) == box)
    }

    @Test func `a secret is sealed like any message`() throws {
        let key = SecretBytes(copying: Self.key)
        let box = try secret("hidden").withUnsafeBytes {
            try AES.GCM.seal($0, using: key, random: FixedRandom())
        }
        #expect(try AES.GCM.open(box, using: key) == secret("hidden"))
    }

    @Test func `p83_ a nonce is drawn for each box and cannot be given`() throws {
        let boxes = try (0..<100).map { _ in try seal([1, 2, 3]) }
        #expect(Set(boxes.map { Array($0.nonce) }).count == 100)
        #expect(throws: BrokenRandom.exhausted) {
            try AES.GCM.seal([1], using: SecretBytes(copying: Self.key), random: BrokenRandom())
        }
    }

    @Test func `any changed bit of a box is refused`() throws {
        let key = SecretBytes(copying: Self.key)
        let box = try seal(Array("attack at dawn".utf8), [9])
        for index in box.combined.indices {
            let changed = try AES.GCM.SealedBox(combined: box.combined.flipping(index, bit: UInt8(index % 8)))
            #expect(throws: CryptoError.authenticationFailed) {
                try AES.GCM.open(changed, using: key, authenticating: [9])
            }
        }
    }

    @Test func `p104_ a wrong key, other associated data and a cut box are one error that holds no bytes`()
        throws
    {
        let key = SecretBytes(copying: Self.key)
        let box = try seal(Array("attack at dawn".utf8), [9])
        let shorter = try AES.GCM.SealedBox(combined: box.combined.dropLast())
        let wrongKey = SecretBytes(copying: Self.key.flipping(31))
        for (box, key, associated) in [
            (box, wrongKey, [9]), (box, key, []), (box, key, [9, 0]), (shorter, key, [9]),
        ]
            as [(AES.GCM.SealedBox, SecretBytes, [UInt8])]
        {
            #expect(throws: CryptoError.authenticationFailed) {
                try AES.GCM.open(box, using: key, authenticating: associated)
            }
        }
        #expect("\(CryptoError.authenticationFailed)" == "wrong key, or the sealed data was changed")
    }

    @Test func `p86_ output is dropped and wiped where the tag is wrong`() throws {
        let cipher = try CipherHandle(.aes256GCM, key: SecretBytes(copying: Self.key))
        let box = try seal(Array("attack at dawn".utf8)).combined.flipping(40)
        var output = [UInt8](repeating: 0xEE, count: 14)
        #expect(throws: CryptoError.authenticationFailed) {
            try output.withUnsafeMutableBytes { output in
                try box.withUnsafeBytes { box in
                    try cipher.open(
                        .init(rebasing: box[12...]), nonce: .init(rebasing: box[..<12]),
                        authenticating: .init(start: nil, count: 0), into: output)
                }
            }
        }
        #expect(output == [UInt8](repeating: 0, count: 14))
    }

    @Test(arguments: [0, 4, 8, 12, 13, 14, 15, 17]) func `p86_ tags that are not 16 bytes are refused`(
        count: Int
    ) {
        #expect(throws: CryptoError.byteCount(of: .tag, count)) {
            try AES.GCM.SealedBox(
                nonce: [UInt8](repeating: 0, count: 12), ciphertext: [],
                tag: [UInt8](repeating: 0, count: count))
        }
    }

    @Test(arguments: [0, 1, 8, 11, 13, 16]) func `p87_ nonces that are not 12 bytes are refused`(count: Int) {
        #expect(throws: CryptoError.byteCount(of: .nonce, count)) {
            try AES.GCM.SealedBox(
                nonce: [UInt8](repeating: 0, count: count), ciphertext: [],
                tag: [UInt8](repeating: 0, count: 16))
        }
    }

    @Test(arguments: 0..<28) func `a box too short for nonce and tag is refused`(count: Int) {
        #expect(throws: CryptoError.byteCount(of: .sealedBox, count)) {
            try AES.GCM.SealedBox(combined: [UInt8](repeating: 0, count: count))
        }
    }

    @Test(arguments: [0, 16, 24, 31, 33, 64]) func `keys that are not 32 bytes are refused`(count: Int) throws
    {
        let key = SecretBytes(count: count) { _ in }
        #expect(throws: CryptoError.byteCount(of: .key, count)) {
            try AES.GCM.seal([1], using: key, random: FixedRandom())
        }
        let box = try seal([1])
        #expect(throws: CryptoError.byteCount(of: .key, count)) { try AES.GCM.open(box, using: key) }
    }

    // MARK: Wycheproof

    struct Group: Decodable {
        struct Case: Decodable {
            let tcId: Int
            let key, iv, aad, msg, ct, tag, result: String
        }
        let ivSize, keySize, tagSize: Int
        let tests: [Case]
    }

    @Test(.enabled(if: ExternalVectors.isSet, ExternalVectors.comment))
    func `Wycheproof agrees about AES-256-GCM, and p87_ its other nonce lengths are refused`() throws {
        let file = try ExternalVectors.decode(Wycheproof<Group>.self, "Cipher/wycheproof/aes_gcm_test.json")
        var (opened, refused) = (0, 0)
        for group in file.testGroups where group.keySize == 256 {
            for test in group.tests {
                let key = secret(hex: test.key)
                let box = Result {
                    try AES.GCM.SealedBox(
                        nonce: bytes(hex: test.iv), ciphertext: bytes(hex: test.ct), tag: bytes(hex: test.tag)
                    )
                }
                guard group.ivSize == 96, group.tagSize == 128 else {
                    #expect(throws: CryptoError.self, "tcId \(test.tcId)") { try box.get() }
                    refused += 1
                    continue
                }
                let message = try? AES.GCM.open(box.get(), using: key, authenticating: bytes(hex: test.aad))
                #expect((message != nil) == (test.result == "valid"), "tcId \(test.tcId)")
                if let message {
                    #expect(message.revealed == bytes(hex: test.msg), "tcId \(test.tcId)")
                    let sealed = try AES.GCM.seal(
                        message.revealed, using: key, nonce: bytes(hex: test.iv),
                        authenticating: bytes(hex: test.aad))
                    #expect(try sealed == box.get(), "tcId \(test.tcId)")
                    opened += 1
                }
            }
        }
        #expect(opened > 30 && refused > 30)
    }
}
