import PDLegacy
import PDSecrets
import Testing

@testable import PDCrypto

@Suite struct PBKDF2Tests {
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
            #expect(throws: CryptoError.byteCount(of: .derivedKey, count)) {
                try PBKDF2.deriveKey(
                    password: secret("p"), salt: "salt".utf8, rounds: 1, outputByteCount: count)
            }
        }
    }

    @Test(arguments: [0, -1, PBKDF2.maximumRounds + 1, .max])
    func `PBKDF2 rounds out of bounds are refused`(rounds: Int) throws {
        #expect(throws: CryptoError.cost("rounds")) {
            try PBKDF2.deriveKey(password: secret("p"), salt: "salt".utf8, rounds: rounds)
        }
    }
}
