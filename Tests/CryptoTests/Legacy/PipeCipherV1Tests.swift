import CGcrypt
import Foundation
import PDSecrets
import Testing

@testable import PDCrypto
@testable import PDLegacy

@Suite struct PipeCipherV1Tests {
    struct Sequence: Decodable {
        struct Message: Decodable {
            let ciphertext_b64, decrypted_b64: String
            let plaintext_b64, plaintext_str: String?
            let roundtrip: Bool
        }
        let name, key, iv: String
        let messages: [Message]
    }

    struct Bad: Decodable {
        let name, key, iv, ciphertext_b64: String
        let ok_b64: String?
    }

    private func bytes(base64: String) throws -> [UInt8] {
        [UInt8](try #require(Data(base64Encoded: base64)))
    }

    private func encryptor(_ key: String, _ iv: String) throws -> PipeCipherV1.Encryptor {
        try PipeCipherV1.Encryptor(key: secret(key), iv: secret(iv))
    }

    private func decryptor(_ key: String, _ iv: String) throws -> PipeCipherV1.Decryptor {
        try PipeCipherV1.Decryptor(key: secret(key), iv: secret(iv))
    }

    @Test func `every recorded message decrypts to what the original made of it`() throws {
        let sequences = try RecordedVectors.decode([Sequence].self, "aes/pipe_messages.json")
        #expect(sequences.map(\.messages.count).reduce(0, +) > 200)
        for sequence in sequences {
            var decryptor = try decryptor(sequence.key, sequence.iv)
            for message in sequence.messages {
                #expect(
                    try Array(decryptor.decrypt(bytes(base64: message.ciphertext_b64)))
                        == bytes(base64: message.decrypted_b64), "\(sequence.name)")
            }
        }
    }

    /// The chain carries the padding on, so all of it must come out as it was recorded.
    @Test func `every recorded message is made again, given its padding`() throws {
        let sequences = try RecordedVectors.decode([Sequence].self, "aes/pipe_messages.json")
            .filter { $0.messages.allSatisfy(\.roundtrip) }
        #expect(sequences.count == 3)
        for sequence in sequences {
            var encryptor = try encryptor(sequence.key, sequence.iv)
            let plain = try CipherHandle(.aes256CBC, key: SecretBytes(copying: sha256(sequence.key)))
            try sha256(sequence.iv).withUnsafeBytes { try plain.setInitialVector(.init(rebasing: $0[..<16])) }
            for message in sequence.messages {
                let ciphertext = try bytes(base64: message.ciphertext_b64)
                let payload = try bytes(base64: message.decrypted_b64)
                var whole = [UInt8](repeating: 0, count: ciphertext.count)
                try whole.withUnsafeMutableBytes { whole in
                    try ciphertext.withUnsafeBytes { try plain.decrypt($0, into: whole) }
                }
                let padding = whole.dropFirst(2 + String(payload.count).utf8.count + 1 + payload.count)
                let random = FixedRandom(pattern: padding.isEmpty ? [0] : Array(padding))
                #expect(try encryptor.encrypt(payload, random: random) == ciphertext, "\(sequence.name)")
            }
        }
    }

    private func sha256(_ text: String) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: 32)
        gcry_md_hash_buffer(Int32(GCRY_MD_SHA256.rawValue), &digest, text, text.utf8.count)
        return digest
    }

    @Test func `p79_ every malformed message is one and the same error`() throws {
        let messages = try RecordedVectors.decode([Bad].self, "aes/bad_messages.json")
        // These two the original cuts short in silence.
        let cutByTheOriginal: Set = ["length_too_long", "huge_length"]
        for bad in messages {
            var decryptor = try decryptor(bad.key, bad.iv)
            let message = try bytes(base64: bad.ciphertext_b64)
            if let ok = bad.ok_b64, !cutByTheOriginal.contains(bad.name) {
                #expect(try Array(decryptor.decrypt(message)) == bytes(base64: ok), "\(bad.name)")
            } else {
                #expect(throws: PipeCipherV1.Error.undecipherable, "\(bad.name)") {
                    _ = try decryptor.decrypt(message)
                }
            }
        }
        #expect(messages.count == 12)
    }

    /// A plaintext, encrypted as it is.
    private func raw(_ plaintext: [UInt8]) throws -> [UInt8] {
        let cipher = try CipherHandle(.aes256CBC, key: SecretBytes(copying: sha256("k")))
        try sha256("i").withUnsafeBytes { try cipher.setInitialVector(.init(rebasing: $0[..<16])) }
        var output = [UInt8](repeating: 0, count: plaintext.count)
        try output.withUnsafeMutableBytes { output in
            try plaintext.withUnsafeBytes { try cipher.encrypt($0, into: output) }
        }
        return output
    }

    @Test(arguments: [
        "13:", "12:", "9223372036854775807:", "9223372036854775808:", "18446744073709551616:",
        "99999999999999", "00000000000001:", "1", "", ":", "-1:", "+1:", " 1:", "1 :", "0x1:",
    ])
    func `a declared length that is too long, overflows or is no number is refused`(header: String) throws {
        var plaintext = [0xD1, 0x08] + Array(header.utf8)
        while !plaintext.count.isMultiple(of: 16) { plaintext.append(0x50) }
        // After "13:" there are eleven bytes, after "12:" as well.
        var decryptor = try decryptor("k", "i")
        #expect(throws: PipeCipherV1.Error.undecipherable) { _ = try decryptor.decrypt(raw(plaintext)) }
    }

    @Test(arguments: [[], [0xD0, 0x08], [0xD1, 0x09], [0x08, 0xD1]] as [[UInt8]])
    func `nothing at all, and a message that begins otherwise, are refused`(start: [UInt8]) throws {
        let plaintext = start.isEmpty ? [] : start + "1:".utf8 + [UInt8](repeating: 0x61, count: 12)
        var decryptor = try decryptor("k", "i")
        let message = try plaintext.isEmpty ? [] : raw(plaintext)
        #expect(throws: PipeCipherV1.Error.undecipherable) { _ = try decryptor.decrypt(message) }
    }

    @Test(arguments: [(11, 1), (12, 0)]) func `the longest payload that fits one block is exact`(
        count: Int, padding: Int
    ) throws {
        let header = Array("\(count):".utf8)
        let payload = [UInt8](repeating: 0x61, count: 16 - 2 - header.count)
        var decryptor = try decryptor("k", "i")
        let message = try raw([0xD1, 0x08] + header + payload)
        if count <= payload.count {
            #expect(try decryptor.decrypt(message) == payload.prefix(count))
        } else {
            #expect(throws: PipeCipherV1.Error.undecipherable) { _ = try decryptor.decrypt(message) }
        }
    }

    @Test func `p129_ the length of a text counts bytes`() throws {
        var encryptor = try encryptor("clé", "🔑")
        var decryptor = try decryptor("clé", "🔑")
        for text in ["café", "🐧🐧", String(repeating: "ß", count: 100_000), ""] {
            let payload = try decryptor.decrypt(
                encryptor.encrypt(Array(text.utf8), random: SecureRandom(.nonce)))
            #expect(String(decoding: payload, as: UTF8.self) == text)
        }
    }

    @Test func `messages of every length around a block pass, padded to the next block and no further`()
        throws
    {
        var encryptor = try encryptor("k", "i")
        var decryptor = try decryptor("k", "i")
        var random = TestRandom(state: 4)
        for count in 0...70 {
            let payload = random.bytes(count)
            let message = try encryptor.encrypt(payload, random: SecureRandom(.nonce))
            let unpadded = 2 + "\(count):".utf8.count + count
            #expect(message.count == (unpadded + 15) / 16 * 16)
            #expect(try Array(decryptor.decrypt(message)) == payload)
        }
    }

    @Test func `p118_ a dropped, repeated or reordered message is refused, and the pipe with it`() throws {
        var sender = try encryptor("k", "i")
        let messages = try (0..<4).map {
            try sender.encrypt(Array("message \($0)".utf8), random: FixedRandom())
        }
        for wrong in [[0, 2], [0, 0], [1], [0, 1, 3]] {
            var decryptor = try decryptor("k", "i")
            for index in wrong.dropLast() { _ = try decryptor.decrypt(messages[index]) }
            #expect(throws: PipeCipherV1.Error.undecipherable) {
                _ = try decryptor.decrypt(messages[wrong.last ?? 0])
            }
            // The chain would now be in step again: what follows must not be believed.
            #expect(throws: PipeCipherV1.Error.undecipherable) {
                _ = try decryptor.decrypt(messages[((wrong.last ?? 0) + 1) % 4])
            }
        }
    }

    @Test func `p79_ what v1 cannot see: a bit of the payload turned over by way of the block before`() throws
    {
        var sender = try encryptor("k", "i")
        let payload = [UInt8](repeating: 0x61, count: 43)
        let message = try sender.encrypt(payload, random: FixedRandom())
        var decryptor = try decryptor("k", "i")
        // The second block is garbled and the third has one bit turned: nothing tells. v2 frames are the
        // answer.
        let changed = try decryptor.decrypt(message.flipping(16))
        #expect(changed.count == 43)
        #expect(Array(changed) != payload)
    }

    @Test func `a message that its receiver keeps stays as it was, decrypted or refused`() throws {
        var sender = try encryptor("k", "i")
        let message = try sender.encrypt([UInt8](repeating: 0x61, count: 43), random: FixedRandom())
        let kept = message.map { $0 }
        var right = try decryptor("k", "i")
        var wrong = try decryptor("K", "i")
        #expect(try right.decrypt(message).count == 43)
        #expect(message == kept)
        #expect(throws: PipeCipherV1.Error.undecipherable) { _ = try wrong.decrypt(message) }
        #expect(message == kept)
    }

    @Test func `a wrong key or vector is refused`() throws {
        var sender = try encryptor("k", "i")
        let message = try sender.encrypt([1, 2, 3], random: FixedRandom())
        for (key, iv) in [("K", "i"), ("k", "I"), ("", "")] {
            var decryptor = try decryptor(key, iv)
            #expect(throws: PipeCipherV1.Error.undecipherable) { _ = try decryptor.decrypt(message) }
        }
    }

    @Test func `no padding is asked for where none is needed, and a failing source sends nothing`() throws {
        var sender = try encryptor("k", "i")
        #expect(try sender.encrypt([UInt8](repeating: 1, count: 11), random: BrokenRandom()).count == 16)
        #expect(throws: BrokenRandom.exhausted) { _ = try sender.encrypt([1], random: BrokenRandom()) }
        // The failure did not touch the chain.
        var receiver = try decryptor("k", "i")
        #expect(throws: PipeCipherV1.Error.undecipherable) {
            _ = try receiver.decrypt(sender.encrypt([1], random: FixedRandom()))
        }
    }
}
