import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct Argon2idTests {
    @Test func `Argon2id keys are those of RFC 9106, section 5.3`() throws {
        let key = try Argon2id.deriveKey(
            password: SecretBytes(copying: [UInt8](repeating: 1, count: 32)),
            salt: [UInt8](repeating: 2, count: 16),
            memory: 32, passes: 3, lanes: 4, secret: SecretBytes(copying: [UInt8](repeating: 3, count: 8)),
            associated: [UInt8](repeating: 4, count: 12))
        #expect(
            key.revealed == bytes(hex: "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"))
    }

    /// The bytes of a collection that has no storage of its own, or of a string that is held in a register, are gone as
    /// soon as the closure that was given them returns.
    @Test func `p132_ an Argon2id key does not depend on how the salt is stored`() throws {
        let text = "0123456789"
        func key(_ salt: some Collection<UInt8>, _ associated: some Collection<UInt8>) throws -> [UInt8] {
            try Argon2id.deriveKey(
                password: SecretBytes(copying: [UInt8](repeating: 7, count: 300)), salt: salt, memory: 64,
                passes: 1,
                lanes: 1, associated: associated
            ).revealed
        }
        let expected = try key(Array(text.utf8), Array("associated".utf8))
        for _ in 0..<20 {
            #expect(try key(text.utf8, "associated".utf8) == expected)
            #expect(try key(Array(text.utf8).lazy.map { $0 }, "associated".utf8.lazy.map { $0 }) == expected)
            let backwards = (Array(text.utf8.reversed()), Array("associated".utf8.reversed()))
            #expect(try key(backwards.0.reversed(), backwards.1.reversed()) == expected)
            #expect(
                try key(Substring("x0123456789y").dropFirst().dropLast().utf8, "associated".utf8) == expected)
        }
    }

    @Test func `Argon2id costs out of bounds are refused`() throws {
        func derive(
            salt: String = "saltsalt", memory: Int = 8, passes: Int = 1, lanes: Int = 1, count: Int = 32
        ) throws -> SecretBytes {
            try Argon2id.deriveKey(
                password: secret("p"), salt: salt.utf8, memory: memory, passes: passes, lanes: lanes,
                outputByteCount: count)
        }
        // The bounds themselves are inside.
        #expect(try derive().count == 32)
        #expect(try derive(count: 4).count == 4)
        #expect(try derive(count: 64).count == 64)
        #expect(try derive(memory: 8 * 64, lanes: 64).count == 32)
        for memory in [7, Argon2id.maximumMemory + 1] {
            #expect(throws: CryptoError.cost("m")) { try derive(memory: memory) }
        }
        for passes in [0, 1_001] { #expect(throws: CryptoError.cost("t")) { try derive(passes: passes) } }
        for lanes in [0, 65, .max] { #expect(throws: CryptoError.cost("p")) { try derive(lanes: lanes) } }
        for count in [3, 65] {
            #expect(throws: CryptoError.byteCount(of: .derivedKey, count)) { try derive(count: count) }
        }
        #expect(throws: CryptoError.byteCount(of: .salt, 7)) { try derive(salt: "saltsal") }
    }
}
