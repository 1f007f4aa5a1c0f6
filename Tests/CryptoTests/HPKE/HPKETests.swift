import Foundation
import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct HPKETests {
    typealias PrivateKey = Curve25519.KeyAgreement.PrivateKey

    struct Vector: Decodable, Sendable {
        struct Encryption: Decodable, Sendable {
            let aad, ct, pt: String
        }
        struct Export: Decodable, Sendable {
            let context: String
            let count: Int
            let value: String

            enum CodingKeys: String, CodingKey {
                case context = "exporter_context"
                case count = "L"
                case value = "exported_value"
            }
        }
        let mode: Int
        let kem: UInt16
        let kdf: UInt16
        let aead: UInt16
        let info, ephemeral, recipient, enc: String
        let encryptions: [Encryption]
        let exports: [Export]

        enum CodingKeys: String, CodingKey {
            case mode, info, enc, encryptions, exports
            case kem = "kem_id"
            case kdf = "kdf_id"
            case aead = "aead_id"
            case ephemeral = "skEm"
            case recipient = "skRm"
        }
    }

    private static let message = "4265617574792069732074727574682c20747275746820626561757479"

    /// RFC 9180, appendix A.2.1, and the same of the RFC's vector file for AES-256-GCM, which the text leaves
    /// out: the first two messages and the exported secrets.
    static let vectors = [
        Vector(
            mode: 0, kem: 0x20, kdf: 1, aead: 2, info: "4f6465206f6e2061204772656369616e2055726e",
            ephemeral: "179d4b53b6365c45b600c4163b61d95cbc2f4d9e36f1695558dce265ab8bab11",
            recipient: "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d",
            enc: "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256",
            encryptions: [
                .init(
                    aad: "436f756e742d30",
                    ct: """
                        e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c5
                        2deb5f512be9931980a41de125a925cdad859d5b7a
                        """, pt: message),
                .init(
                    aad: "436f756e742d31",
                    ct: """
                        2c43aff25343fdbff864506f0818b9d87df84ea01b1a2144
                        d23b4d40c26bf655fdf197fe40297a8aebeed5cc2d
                        """, pt: message),
            ],
            exports: [
                .init(
                    context: "", count: 32,
                    value: "ded6cffafaea6b812cbf3e241e88332adbc077aca81512914213810ee291770a"),
                .init(
                    context: "00", count: 32,
                    value: "04d3cb6cc116b28ffd22ad5bc276c60d31fec71ceb87ae24db811c64b7507339"),
                .init(
                    context: "54657374436f6e74657874", count: 32,
                    value: "7c5ded445732c14fe09727d29b4251c0fd38455fe8440571e687f0886aac94d2"),
            ]),
        Vector(
            mode: 0, kem: 0x20, kdf: 1, aead: 3, info: "4f6465206f6e2061204772656369616e2055726e",
            ephemeral: "f4ec9b33b792c372c1d2c2063507b684ef925b8c75a42dbcbf57d63ccd381600",
            recipient: "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb",
            enc: "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a",
            encryptions: [
                .init(
                    aad: "436f756e742d30",
                    ct: """
                        1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e13
                        1f0def8c8b60b4db21993c62ce81883d2dd1b51a28
                        """, pt: message),
                .init(
                    aad: "436f756e742d31",
                    ct: """
                        6b53c051e4199c518de79594e1c4ab18b96f081549d45ce0
                        15be002090bb119e85285337cc95ba5f59992dc98c
                        """, pt: message),
            ],
            exports: [
                .init(
                    context: "", count: 32,
                    value: "4bbd6243b8bb54cec311fac9df81841b6fd61f56538a775e7c80a9f40160606e"),
                .init(
                    context: "00", count: 32,
                    value: "8c1df14732580e5501b00f82b10a1647b40713191b7c1240ac80e2b68808ba69"),
                .init(
                    context: "54657374436f6e74657874", count: 32,
                    value: "5acb09211139c43b3090489a9da433e8a30ee7188ba8b0a9a1ccf0c229283e53"),
            ]),
    ]

    private func verify(_ vector: Vector) throws {
        let cipher = try #require(HPKE.Cipher(rawValue: vector.aead))
        let info = bytes(hex: vector.info)
        let key = try PrivateKey(rawRepresentation: secret(hex: vector.recipient))
        var sender = try HPKE.Sender(
            recipientKey: key.publicKey, cipher: cipher, info: info,
            ephemeral: PrivateKey(rawRepresentation: secret(hex: vector.ephemeral)))
        #expect(sender.encapsulatedKey == bytes(hex: vector.enc))
        var recipient = try HPKE.Recipient(
            privateKey: key, cipher: cipher, info: info, encapsulatedKey: bytes(hex: vector.enc))
        for encryption in vector.encryptions {
            let sealed = try sender.seal(
                bytes(hex: encryption.pt), authenticating: bytes(hex: encryption.aad))
            #expect(sealed == bytes(hex: encryption.ct))
            let opened = try recipient.open(sealed, authenticating: bytes(hex: encryption.aad))
            #expect(opened.revealed == bytes(hex: encryption.pt))
        }
        for export in vector.exports {
            let context = bytes(hex: export.context)
            let ours = try sender.exportSecret(context: context, outputByteCount: export.count)
            let theirs = try recipient.exportSecret(context: context, outputByteCount: export.count)
            #expect(ours.revealed == bytes(hex: export.value))
            #expect(ours == theirs)
        }
    }

    @Test(arguments: vectors) func `p89_ messages and secrets are those of RFC 9180`(vector: Vector) throws {
        try verify(vector)
    }

    @Test(.enabled(if: ExternalVectors.isSet, ExternalVectors.comment))
    func `p89_ all vectors of RFC 9180 for this mode and these suites agree`() throws {
        let all = try ExternalVectors.decode([Vector].self, "Protocol/wycheproof/HPKE-test-vectors.json")
        #expect(all.count == 128)
        let ours = all.filter {
            $0.mode == 0 && $0.kem == 0x20 && $0.kdf == 1 && HPKE.Cipher(rawValue: $0.aead) != nil
        }
        #expect(ours.count == 2)
        for vector in ours {
            #expect(vector.encryptions.count == 257)
            try verify(vector)
        }
    }

    // MARK: Refusals

    private let recipientKey: PrivateKey
    private let info = Array("PenguinDome test 1".utf8)

    init() throws {
        recipientKey = try PrivateKey(rawRepresentation: SecretBytes(copying: 1...32))
    }

    private func sender(_ cipher: HPKE.Cipher = .aes256GCM) throws -> HPKE.Sender {
        try HPKE.Sender(
            recipientKey: recipientKey.publicKey, cipher: cipher, info: info,
            random: SecureRandom(.sessionKey))
    }

    private func recipient(_ enc: [UInt8], cipher: HPKE.Cipher = .aes256GCM) throws -> HPKE.Recipient {
        try HPKE.Recipient(privateKey: recipientKey, cipher: cipher, info: info, encapsulatedKey: enc)
    }

    @Test(arguments: HPKE.Cipher.allCases) func `what was sealed can be opened`(cipher: HPKE.Cipher) throws {
        var sender = try sender(cipher)
        var recipient = try recipient(sender.encapsulatedKey, cipher: cipher)
        for message in [[], [1], [UInt8](repeating: 7, count: 10_000)] {
            #expect(try recipient.open(sender.seal(message)).revealed == message)
        }
    }

    @Test func `p91_ other associated data is refused, and the right data still opens after that`() throws {
        var sender = try sender()
        let sealed = try sender.seal("secret".utf8, authenticating: "hosts/7/serial".utf8)
        var recipient = try recipient(sender.encapsulatedKey)
        for other in ["hosts/8/serial", "hosts/7/model", "hosts/7/serial/", ""] {
            #expect(throws: CryptoError.authenticationFailed) {
                _ = try recipient.open(sealed, authenticating: other.utf8)
            }
        }
        #expect(try recipient.open(sealed, authenticating: "hosts/7/serial".utf8) == secret("secret"))
    }

    @Test func `p92_ another version in the info is refused`() throws {
        var sender = try sender()
        let sealed = try sender.seal([1])
        for info in ["PenguinDome test 2", "PenguinDome test", ""] {
            var recipient = try HPKE.Recipient(
                privateKey: recipientKey, info: info.utf8, encapsulatedKey: sender.encapsulatedKey)
            #expect(throws: CryptoError.authenticationFailed) { _ = try recipient.open(sealed) }
        }
    }

    @Test func `p93_ the wrong recipient, or the wrong cipher, cannot open`() throws {
        var sender = try sender()
        let sealed = try sender.seal([1])
        let other = try PrivateKey(rawRepresentation: SecretBytes(copying: 2...33))
        var wrongKey = try HPKE.Recipient(
            privateKey: other, info: info, encapsulatedKey: sender.encapsulatedKey)
        #expect(throws: CryptoError.authenticationFailed) { _ = try wrongKey.open(sealed) }
        var wrongCipher = try recipient(sender.encapsulatedKey, cipher: .chaCha20Poly1305)
        #expect(throws: CryptoError.authenticationFailed) { _ = try wrongCipher.open(sealed) }
        var wrongEnc = try recipient(sender.encapsulatedKey.flipping(5))
        #expect(throws: CryptoError.authenticationFailed) { _ = try wrongEnc.open(sealed) }
    }

    @Test(arguments: [0, 1, 31, 33, 64]) func `p93_ an encapsulated key of another length is refused`(
        count: Int
    ) {
        #expect(throws: CryptoError.byteCount(of: .encapsulatedKey, count)) {
            _ = try recipient([UInt8](repeating: 9, count: count))
        }
    }

    @Test func `p93_ a message opens in its own place alone, and once`() throws {
        var sender = try sender()
        let messages = try (UInt8(0)..<3).map { try sender.seal([$0]) }
        var recipient = try recipient(sender.encapsulatedKey)
        #expect(throws: CryptoError.authenticationFailed) { _ = try recipient.open(messages[1]) }
        #expect(try recipient.open(messages[0]).revealed == [0])
        #expect(throws: CryptoError.authenticationFailed) { _ = try recipient.open(messages[0]) }
        #expect(try recipient.open(messages[1]).revealed == [1])
        #expect(try recipient.open(messages[2]).revealed == [2])
    }

    @Test func `p93_ a changed or cut message is refused`() throws {
        var sender = try sender()
        let sealed = try sender.seal([1, 2, 3])
        var recipient = try recipient(sender.encapsulatedKey)
        for index in sealed.indices {
            #expect(throws: CryptoError.authenticationFailed) {
                _ = try recipient.open(sealed.flipping(index))
            }
        }
        for count in 0..<sealed.count {
            #expect(throws: CryptoError.authenticationFailed) { _ = try recipient.open(sealed.prefix(count)) }
        }
        #expect(try recipient.open(sealed).revealed == [1, 2, 3])
    }

    @Test func `p83_ the sequence number does not wrap`() throws {
        var sender = try HPKE.Sender(
            recipientKey: recipientKey.publicKey, cipher: .aes256GCM, info: info,
            ephemeral: PrivateKey(rawRepresentation: SecretBytes(copying: 3...34)), sequenceNumber: .max - 1)
        _ = try sender.seal([1])
        #expect(throws: CryptoError.messageLimitReached) { _ = try sender.seal([1]) }
        #expect(throws: CryptoError.messageLimitReached) { _ = try sender.seal([1]) }
    }

    @Test func `p90_ a point of low order is refused on both sides`() throws {
        let zero = [UInt8](repeating: 0, count: 32)
        #expect(throws: CryptoError.lowOrderPoint) { _ = try recipient(zero) }
        let point = try Curve25519.KeyAgreement.PublicKey(rawRepresentation: zero)
        #expect(throws: CryptoError.lowOrderPoint) {
            _ = try HPKE.Sender(recipientKey: point, info: info, random: SecureRandom())
        }
    }

    @Test func `p94_ base mode knows neither sender nor replay, so a revision must be bound`() throws {
        var sender = try sender()
        let sealed = try sender.seal("old".utf8, authenticating: "field, revision 1".utf8)
        for _ in 0..<2 {
            var recipient = try recipient(sender.encapsulatedKey)
            #expect(try recipient.open(sealed, authenticating: "field, revision 1".utf8) == secret("old"))
        }
        var recipient = try recipient(sender.encapsulatedKey)
        #expect(throws: CryptoError.authenticationFailed) {
            _ = try recipient.open(sealed, authenticating: "field, revision 2".utf8)
        }
    }

    @Test func `exported secrets have bounds`() throws {
        let sender = try sender()
        #expect(try sender.exportSecret(context: [], outputByteCount: 8_160).count == 8_160)
        for count in [0, -1, 8_161, 65_536] {
            #expect(throws: CryptoError.byteCount(of: .derivedKey, count)) {
                _ = try sender.exportSecret(context: [], outputByteCount: count)
            }
        }
    }
}
