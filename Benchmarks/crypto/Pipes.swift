import CGcrypt
import PDCrypto
import PDLegacy
import PDSecrets

/// Messages of 16 KiB through one direction of a pipe, 64 in a run. They are compared with the library calls alone: the
/// same bytes, with the key set, to memory that is there already, in which nobody looks.
final class Pipes {
    static let messageCount = 64

    /// Random enough for padding, and free.
    private struct Zeros: RandomSource {
        func fill(_ buffer: UnsafeMutableRawBufferPointer) {
            buffer.initializeMemory(as: UInt8.self, repeating: 0)
        }
    }

    private let payload = (0..<16_384).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 2) }
    private let secret: SecretBytes
    private let pipeID = [UInt8](repeating: 1, count: 16)
    private let iv = [UInt8](repeating: 2, count: 16)
    private let nonce = [UInt8](repeating: 3, count: 12)
    private let associated = [UInt8](repeating: 4, count: 33)
    private var tag = [UInt8](repeating: 0, count: 16)
    private var output = [UInt8](repeating: 0, count: 17_000)
    private let cbc: gcry_cipher_hd_t?
    private let gcm: gcry_cipher_hd_t?
    private var encryptor: PipeCipherV1.Encryptor
    private var decryptor: PipeCipherV1.Decryptor
    private var sealer: PipeFrame.Sealer
    private var opener: PipeFrame.Opener
    private var messages = [[UInt8]]()
    private var frames = [[UInt8]]()
    /// Messages and frames as a receiver has them: each an array of its own, the first one last.
    private var arrived = [[UInt8]]()
    /// What they are decrypted to, in the memory of the messages, which is given back untimed as it was allocated.
    private var payloads = [ArraySlice<UInt8>]()

    init() throws {
        let key = [UInt8](repeating: 7, count: 32)
        secret = SecretBytes(copying: key)
        cbc = try Library.cipher(GCRY_CIPHER_MODE_CBC, key: key, iv: iv)
        gcm = try Library.cipher(GCRY_CIPHER_MODE_GCM, key: key)
        encryptor = try .init(key: secret, iv: secret)
        decryptor = try .init(key: secret, iv: secret)
        sealer = try .init(secret: secret, pipeID: pipeID, direction: .fromAgent)
        opener = try .init(secret: secret, pipeID: pipeID, direction: .fromAgent)
        for _ in 0..<Self.messageCount {
            messages.append(try encryptor.encrypt(payload, random: Zeros()))
            frames.append(try sealer.seal(payload))
        }
    }

    func measure() throws -> [(name: String, rows: [Comparison.Row])] {
        try [
            ("v1, encrypt", encrypting().measure()), ("v1, decrypt", decrypting().measure()),
            ("v2, seal", sealing().measure()), ("v2, open", opening().measure()),
        ]
    }

    private func encrypting() -> Comparison {
        var comparison = Comparison()
        comparison.add("libgcrypt alone") { [self] in
            for message in messages {
                try Library.check(
                    gcry_cipher_encrypt(cbc, &output, message.count, message, message.count))
            }
        }
        comparison.add("pipe") { [self] in
            for _ in messages { _ = try encryptor.encrypt(payload, random: Zeros()) }
        }
        return comparison
    }

    private func decrypting() -> Comparison {
        var comparison = Comparison()
        comparison.add("libgcrypt alone") { [self] in
            for message in messages {
                try Library.check(
                    gcry_cipher_decrypt(cbc, &output, message.count, message, message.count))
            }
        }
        comparison.add("pipe") { [self] in
            decryptor = try .init(key: secret, iv: secret)
            payloads.removeAll(keepingCapacity: true)
            arrived = messages.reversed().map { $0.withUnsafeBytes(Array.init) }
        } _: { [self] in
            while let message = arrived.popLast() { payloads.append(try decryptor.decrypt(message)) }
        }
        return comparison
    }

    private func sealing() -> Comparison {
        var comparison = Comparison()
        comparison.add("libgcrypt alone") { [self] in
            for _ in frames {
                try begin()
                try Library.check(
                    gcry_cipher_encrypt(gcm, &output, payload.count, payload, payload.count))
                try Library.check(gcry_cipher_gettag(gcm, &tag, tag.count))
            }
        }
        comparison.add("pipe") { [self] in
            for _ in frames { _ = try sealer.seal(payload) }
        }
        return comparison
    }

    private func opening() throws -> Comparison {
        let sealed = try frames.map { _ in
            try begin()
            var ciphertext = payload
            try Library.check(gcry_cipher_encrypt(gcm, &ciphertext, ciphertext.count, nil, 0))
            try Library.check(gcry_cipher_gettag(gcm, &tag, tag.count))
            return (ciphertext, tag)
        }
        var comparison = Comparison()
        comparison.add("libgcrypt alone") { [self] in
            for (ciphertext, tag) in sealed {
                try begin()
                try Library.check(
                    gcry_cipher_decrypt(gcm, &output, ciphertext.count, ciphertext, ciphertext.count))
                try Library.check(gcry_cipher_checktag(gcm, tag, tag.count))
            }
        }
        comparison.add("pipe") { [self] in
            opener = try .init(secret: secret, pipeID: pipeID, direction: .fromAgent)
            payloads.removeAll(keepingCapacity: true)
            arrived = frames.reversed().map { $0.withUnsafeBytes(Array.init) }
        } _: { [self] in
            while let frame = arrived.popLast() { payloads.append(try opener.open(frame)) }
        }
        return comparison
    }

    private func begin() throws {
        try Library.check(gcry_cipher_setiv(gcm, nonce, nonce.count))
        try Library.check(gcry_cipher_authenticate(gcm, associated, associated.count))
    }
}
