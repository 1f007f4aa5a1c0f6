import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct PasswordKDFTests {
    @Test(arguments: [
        ("passwd", "salt", 1, "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"),
        ("Password", "NaCl", 80_000, "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"),
    ])
    func `PBKDF2 keys are those of RFC 7914, section 11`(
        password: String, salt: String, rounds: Int, key: String
    ) throws {
        let derived = try PBKDF2.deriveKey(password: secret(password), salt: salt.utf8, rounds: rounds)
        #expect(derived.revealed == bytes(hex: key))
    }

    @Test func `PBKDF2 keys are those of openssl, also without salt or password`() throws {
        var random = TestRandom(state: 5)
        for (passwordLength, saltLength, rounds) in [(0, 8, 1), (9, 0, 2), (65, 64, 1_000), (300, 1_024, 3)] {
            let (password, salt) = (random.bytes(passwordLength), random.bytes(saltLength))
            let answer = try OpenSSL.run([
                "kdf", "-keylen", "32", "-kdfopt", "digest:SHA256", "-kdfopt",
                "hexpass:\(OpenSSL.hex(password))",
                "-kdfopt", "hexsalt:\(OpenSSL.hex(salt))", "-kdfopt", "iter:\(rounds)", "-kdfopt", "pkcs5:1",
                "-binary", "PBKDF2",
            ])
            let key = try PBKDF2.deriveKey(
                password: SecretBytes(copying: password), salt: salt, rounds: rounds)
            #expect(key.revealed == answer.output)
        }
    }

    @Test func `p81_ PBKDF2 gives no second block, which only the defender would pay for`() throws {
        for count in [33, 48, 0, -1] {
            #expect(throws: KDFError.outputByteCount(count)) {
                try PBKDF2.deriveKey(
                    password: secret("p"), salt: "salt".utf8, rounds: 1, outputByteCount: count)
            }
        }
    }

    @Test(arguments: [0, -1, PBKDF2.maximumRounds + 1, .max])
    func `PBKDF2 rounds out of bounds are refused`(rounds: Int) throws {
        #expect(throws: KDFError.rounds(rounds)) {
            try PBKDF2.deriveKey(password: secret("p"), salt: "salt".utf8, rounds: rounds)
        }
    }

    @Test func `scrypt keys are those of RFC 7914, section 12`() throws {
        let second = try Scrypt.deriveKey(
            password: secret("password"), salt: "NaCl".utf8, cost: 1_024, parallelization: 16,
            outputByteCount: 64)
        #expect(
            second.revealed
                == bytes(
                    hex: """
                        fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162
                        2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640
                        """))
        let third = try Scrypt.deriveKey(
            password: secret("pleaseletmein"), salt: "SodiumChloride".utf8, cost: 16_384, outputByteCount: 64)
        #expect(
            third.revealed
                == bytes(
                    hex: """
                        7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2
                        d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887
                        """))
    }

    @Test func `scrypt costs out of bounds are refused`() throws {
        func derive(cost: Int = 2, p: Int = 1, salt: String = "salt", count: Int = 32) throws {
            _ = try Scrypt.deriveKey(
                password: secret("p"), salt: salt.utf8, cost: cost, parallelization: p, outputByteCount: count
            )
        }
        try derive()
        for cost in [0, 1, 3, -2, 1 << 21, .min, .max] {
            #expect(throws: KDFError.cost("N")) { try derive(cost: cost) }
        }
        for p in [0, 256] { #expect(throws: KDFError.cost("p")) { try derive(p: p) } }
        for count in [0, 1_025] {
            #expect(throws: KDFError.outputByteCount(count)) { try derive(count: count) }
        }
        #expect(throws: KDFError.saltByteCount(0)) { try derive(salt: "") }
    }

    @Test func `Argon2id keys are those of RFC 9106, section 5.3`() throws {
        let key = try Argon2id.deriveKey(
            password: SecretBytes(copying: [UInt8](repeating: 1, count: 32)),
            salt: [UInt8](repeating: 2, count: 16),
            memory: 32, passes: 3, lanes: 4, secret: SecretBytes(copying: [UInt8](repeating: 3, count: 8)),
            associated: [UInt8](repeating: 4, count: 12))
        #expect(
            key.revealed == bytes(hex: "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"))
    }

    @Test func `Argon2id costs out of bounds are refused`() throws {
        func derive(
            salt: String = "saltsalt", memory: Int = 8, passes: Int = 1, lanes: Int = 1, count: Int = 32
        ) throws {
            _ = try Argon2id.deriveKey(
                password: secret("p"), salt: salt.utf8, memory: memory, passes: passes, lanes: lanes,
                outputByteCount: count)
        }
        try derive()
        try derive(count: 64)
        for memory in [7, Argon2id.maximumMemory + 1] {
            #expect(throws: KDFError.cost("m")) { try derive(memory: memory) }
        }
        for passes in [0, 1_001] { #expect(throws: KDFError.cost("t")) { try derive(passes: passes) } }
        for lanes in [0, 65, .max] { #expect(throws: KDFError.cost("p")) { try derive(lanes: lanes) } }
        for count in [3, 65] { #expect(throws: KDFError.outputByteCount(count)) { try derive(count: count) } }
        #expect(throws: KDFError.saltByteCount(7)) { try derive(salt: "saltsal") }
    }
}
