import Crypto
import Foundation
import PDCrypto
import PDSecrets
import Testing

@Suite("PDCrypto and swift-crypto agree on keys of Curve25519 and on HPKE")
struct PublicKeyTests {
    typealias OurSigning = PDCrypto.Curve25519.Signing
    typealias TheirSigning = Crypto.Curve25519.Signing
    typealias OurAgreement = PDCrypto.Curve25519.KeyAgreement
    typealias TheirAgreement = Crypto.Curve25519.KeyAgreement

    @Test("Ed25519: the same public key, and each verifies what the other signs", arguments: Inputs.seeds)
    func signing(_ seed: UInt64) throws {
        var inputs = Inputs(seed: seed)
        let (raw, message) = (inputs.bytes(32), inputs.bytes())
        let ours = try OurSigning.PrivateKey(rawRepresentation: SecretBytes(copying: raw))
        let theirs = try TheirSigning.PrivateKey(rawRepresentation: raw)
        #expect(ours.publicKey.rawRepresentation == Array(theirs.publicKey.rawRepresentation))

        let ourSignature = try ours.signature(for: message)
        let theirSignature = try Array(theirs.signature(for: message))
        #expect(theirs.publicKey.isValidSignature(ourSignature, for: message))
        #expect(try ours.publicKey.isValidSignature(theirSignature, for: message))

        let changed = inputs.flipOneBit(of: ourSignature)
        #expect(try !ours.publicKey.isValidSignature(changed, for: message))
        #expect(!theirs.publicKey.isValidSignature(changed, for: message))
        #expect(try !ours.publicKey.isValidSignature(ourSignature, for: message + [0]))
    }

    @Test("X25519: the same public keys, and the same secret on all sides", arguments: Inputs.seeds)
    func agreement(_ seed: UInt64) throws {
        var inputs = Inputs(seed: seed)
        let (a, b, info) = (inputs.bytes(32), inputs.bytes(32), inputs.bytes())
        let ours = try OurAgreement.PrivateKey(rawRepresentation: SecretBytes(copying: a))
        let theirs = try TheirAgreement.PrivateKey(rawRepresentation: b)
        let theirsOfA = try TheirAgreement.PrivateKey(rawRepresentation: a)
        #expect(ours.publicKey.rawRepresentation == Array(theirsOfA.publicKey.rawRepresentation))

        let key = try ours.sharedSecretFromKeyAgreement(
            with: OurAgreement.PublicKey(rawRepresentation: Array(theirs.publicKey.rawRepresentation))
        ).hkdfDerivedSymmetricKey(sharedInfo: info)
        let theirKey = try theirs.sharedSecretFromKeyAgreement(
            with: TheirAgreement.PublicKey(rawRepresentation: ours.publicKey.rawRepresentation)
        ).hkdfDerivedSymmetricKey(
            using: Crypto.SHA256.self, salt: [UInt8](), sharedInfo: info, outputByteCount: 32)
        #expect(key.bytes == theirKey.withUnsafeBytes { Array($0) })
    }

    @Test(
        "X25519: any 32 bytes as a peer's key give the same secret, except that we refuse one that all know",
        arguments: Inputs.seeds)
    func anyPeer(_ seed: UInt64) throws {
        var inputs = Inputs(seed: seed)
        let raw = inputs.bytes(32)
        // Zero and one are of low order; large numbers are not reduced; the highest bit is to be ignored.
        var peer = inputs.bytes(32)
        let choice = inputs.number(in: 0...5)
        switch choice {
        case 0: peer = [UInt8](repeating: 0, count: 32)
        case 1: peer = [1] + [UInt8](repeating: 0, count: 31)
        case 2: peer = [UInt8](repeating: 0xff, count: 32)
        case 3: peer[31] |= 0x80
        default: break
        }
        let theirs = try TheirAgreement.PrivateKey(rawRepresentation: raw)
            .sharedSecretFromKeyAgreement(with: TheirAgreement.PublicKey(rawRepresentation: peer))
        func ours() throws -> OurAgreement.SharedSecret {
            try OurAgreement.PrivateKey(rawRepresentation: SecretBytes(copying: raw))
                .sharedSecretFromKeyAgreement(with: OurAgreement.PublicKey(rawRepresentation: peer))
        }
        // RFC 7748, section 6.1: the check for the all-zero secret is left to the implementation.
        guard theirs.withUnsafeBytes({ $0.contains { $0 != 0 } }) else {
            #expect(throws: PDCrypto.CryptoError.lowOrderPoint, performing: ours)
            return
        }
        #expect(choice > 1)
        let theirKey = theirs.hkdfDerivedSymmetricKey(
            using: Crypto.SHA256.self, salt: [UInt8](), sharedInfo: [UInt8](), outputByteCount: 32)
        #expect(
            try ours().hkdfDerivedSymmetricKey(sharedInfo: []).bytes == theirKey.withUnsafeBytes { Array($0) }
        )
    }

    struct Suite: Sendable {
        var ours: PDCrypto.HPKE.Cipher
        var theirs: Crypto.HPKE.AEAD

        static let all = [
            Suite(ours: .aes256GCM, theirs: .AES_GCM_256),
            Suite(ours: .chaCha20Poly1305, theirs: .chaChaPoly),
        ]

        var ciphersuite: Crypto.HPKE.Ciphersuite {
            Crypto.HPKE.Ciphersuite(kem: .Curve25519_HKDF_SHA256, kdf: .HKDF_SHA256, aead: theirs)
        }
    }

    @Test("HPKE: swift-crypto opens what we seal, in order", arguments: Inputs.seeds, Suite.all)
    func weSeal(_ seed: UInt64, _ suite: Suite) throws {
        var inputs = Inputs(seed: seed)
        let (raw, info, authenticated) = (inputs.bytes(32), inputs.bytes(), inputs.bytes())
        let key = try TheirAgreement.PrivateKey(rawRepresentation: raw)
        var sender = try PDCrypto.HPKE.Sender(
            recipientKey: OurAgreement.PublicKey(rawRepresentation: Array(key.publicKey.rawRepresentation)),
            cipher: suite.ours, info: info, random: SecureRandom(.sessionKey))
        var recipient = try Crypto.HPKE.Recipient(
            privateKey: key, ciphersuite: suite.ciphersuite, info: Data(info),
            encapsulatedKey: Data(sender.encapsulatedKey))
        for _ in 0..<3 {
            let message = inputs.bytes()
            let sealed = try sender.seal(message, authenticating: authenticated)
            #expect(try Array(recipient.open(sealed, authenticating: authenticated)) == message)
        }
        let exported = try sender.exportSecret(context: info, outputByteCount: 48)
        let theirs = try recipient.exportSecret(context: Data(info), outputByteCount: 48)
        #expect(exported.bytes == theirs.withUnsafeBytes { Array($0) })
    }

    @Test(
        "HPKE: we open what swift-crypto seals, in order, and nothing else", arguments: Inputs.seeds,
        Suite.all)
    func theySeal(_ seed: UInt64, _ suite: Suite) throws {
        var inputs = Inputs(seed: seed)
        let (raw, info, authenticated) = (inputs.bytes(32), inputs.bytes(), inputs.bytes())
        let key = try OurAgreement.PrivateKey(rawRepresentation: SecretBytes(copying: raw))
        var sender = try Crypto.HPKE.Sender(
            recipientKey: TheirAgreement.PublicKey(rawRepresentation: key.publicKey.rawRepresentation),
            ciphersuite: suite.ciphersuite, info: Data(info))
        var recipient = try PDCrypto.HPKE.Recipient(
            privateKey: key, cipher: suite.ours, info: info, encapsulatedKey: sender.encapsulatedKey)
        for _ in 0..<3 {
            let message = inputs.bytes()
            let sealed = try Array(sender.seal(message, authenticating: authenticated))
            let changed = inputs.flipOneBit(of: sealed)
            var fault: PDCrypto.CryptoError?
            do throws(PDCrypto.CryptoError) {
                _ = try recipient.open(changed, authenticating: authenticated)
            } catch { fault = error }
            #expect(fault == .authenticationFailed)
            let opened = try recipient.open(sealed, authenticating: authenticated)
            #expect(opened.bytes == message)
        }
    }
}
