import Crypto
import Foundation
import PDCrypto
import PDSecrets
import Testing

/// Two implementations that share no code, asked the same questions.
@Suite("PDCrypto and swift-crypto agree on hashes, codes, derivation and encryption")
struct SymmetricTests {
    @Test("SHA-256, SHA-384, SHA-512, in one piece and in two", arguments: Inputs.seeds)
    func hashes(_ seed: UInt64) {
        var inputs = Inputs(seed: seed)
        let message = inputs.bytes()
        let cut = inputs.number(in: 0...message.count)
        #expect(PDCrypto.SHA256.hash(message) == Array(Crypto.SHA256.hash(data: message)))
        var running = PDCrypto.SHA256()
        running.update(message[..<cut])
        running.update(message[cut...])
        let digest = running.finalize()
        #expect(digest == Array(Crypto.SHA256.hash(data: message)))
    }

    @Test("HMAC under each hash", arguments: Inputs.seeds)
    func codes(_ seed: UInt64) throws {
        var inputs = Inputs(seed: seed)
        let (key, message) = (inputs.bytes(), inputs.bytes())
        for hash in PDCrypto.HMAC.Hash.allCases {
            let ours = try PDCrypto.HMAC.authenticationCode(
                for: message, using: SecretBytes(copying: key), hash: hash)
            #expect(ours == Self.code(message, key, hash))
        }
    }

    private static func code(_ message: [UInt8], _ key: [UInt8], _ hash: PDCrypto.HMAC.Hash) -> [UInt8] {
        let key = SymmetricKey(data: key)
        return switch hash {
        case .sha256: Array(Crypto.HMAC<Crypto.SHA256>.authenticationCode(for: message, using: key))
        case .sha384: Array(Crypto.HMAC<Crypto.SHA384>.authenticationCode(for: message, using: key))
        case .sha512: Array(Crypto.HMAC<Crypto.SHA512>.authenticationCode(for: message, using: key))
        }
    }

    @Test("HKDF, of any length", arguments: Inputs.seeds)
    func derivation(_ seed: UInt64) throws {
        var inputs = Inputs(seed: seed)
        let material = inputs.bytes(inputs.number(in: 1...100))
        let (salt, info) = (inputs.bytes(), inputs.bytes())
        let count = inputs.number(in: 1...(255 * 32))
        let ours = try PDCrypto.HKDF.deriveKey(
            inputKeyMaterial: SecretBytes(copying: material), salt: salt, info: info, outputByteCount: count)
        let theirs = Crypto.HKDF<Crypto.SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: material), salt: salt, info: info, outputByteCount: count)
        #expect(ours.bytes == theirs.withUnsafeBytes { Array($0) })
        let wide = min(count, 255 * 32)
        let ours512 = try PDCrypto.HKDF.deriveKey(
            inputKeyMaterial: SecretBytes(copying: material), salt: salt, info: info, outputByteCount: wide,
            hash: .sha512)
        let theirs512 = Crypto.HKDF<Crypto.SHA512>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: material), salt: salt, info: info, outputByteCount: wide)
        #expect(ours512.bytes == theirs512.withUnsafeBytes { Array($0) })
    }

    @Test("AES-256-GCM both ways, and neither opens a changed box", arguments: Inputs.seeds)
    func encryption(_ seed: UInt64) throws {
        var inputs = Inputs(seed: seed)
        let (key, message, authenticated) = (inputs.bytes(32), inputs.bytes(), inputs.bytes())
        let theirKey = SymmetricKey(data: key)
        let ourKey = SecretBytes(copying: key)

        let ours = try PDCrypto.AES.GCM.seal(
            message, using: ourKey, authenticating: authenticated, random: SecureRandom(.nonce))
        let nonce = try Crypto.AES.GCM.Nonce(data: ours.nonce)
        let theirs = try Crypto.AES.GCM.seal(
            message, using: theirKey, nonce: nonce, authenticating: authenticated)
        #expect(theirs.combined.map(Array.init) == ours.combined)

        let opened = try PDCrypto.AES.GCM.open(
            PDCrypto.AES.GCM.SealedBox(
                nonce: theirs.nonce.map { $0 }, ciphertext: Array(theirs.ciphertext), tag: Array(theirs.tag)),
            using: ourKey, authenticating: authenticated)
        #expect(opened.withUnsafeBytes(Array.init) == message)

        let changed = inputs.flipOneBit(of: ours.combined)
        #expect(throws: (any Error).self) {
            try PDCrypto.AES.GCM.open(
                PDCrypto.AES.GCM.SealedBox(combined: changed), using: ourKey, authenticating: authenticated)
        }
        #expect(throws: (any Error).self) {
            try Crypto.AES.GCM.open(
                Crypto.AES.GCM.SealedBox(combined: changed), using: theirKey, authenticating: authenticated)
        }
    }
}
