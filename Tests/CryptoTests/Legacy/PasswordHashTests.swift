import Foundation
import Testing

@testable import PDCrypto
@testable import PDLegacy

@Suite struct PasswordHashTests {
    struct Recorded: Decodable {
        struct Case: Decodable {
            let password, hash: String
            let rounds: Int
            let matches: Bool
        }
        struct Malformed: Decodable {
            let hash: String?
            let error: String?
            let result: Bool?
        }
        let cases: [Case]
        let malformed: [Malformed]
    }

    private static let recorded = Result {
        try RecordedVectors.decode(Recorded.self, "passlib/pbkdf2_sha256.json")
    }

    @Test func `every recorded hash is read, written back as it was, and judged as the original judges it`()
        throws
    {
        let cases = try Self.recorded.get().cases
        #expect(cases.count > 100)
        for test in cases {
            let hash = try PasswordHash(modular: test.hash)
            #expect(hash.modular == test.hash)
            #expect(hash.rounds == test.rounds)
            #expect(try hash.matches(secret(test.password)) == test.matches, "\(test.hash) \(test.password)")
        }
    }

    @Test func `every recorded malformed hash is refused`() throws {
        for test in try Self.recorded.get().malformed {
            guard let text = test.hash else { continue }
            if test.error != nil {
                #expect(throws: PasswordHash.Error.self, "\(text)") { try PasswordHash(modular: text) }
            } else {
                #expect(try PasswordHash(modular: text).matches(secret("secret")) == test.result)
            }
        }
    }

    private static let digest = "984LZT0tcqQQjPWr6RL/3Xd2Ftu7J6cOggTzri0Pb60"

    @Test(
        arguments: [
            ("", .scheme), ("x", .scheme), ("$", .scheme), ("pbkdf2-sha256$1$$\(digest)", .scheme),
            ("$pbkdf2-sha1$1$$\(digest)", .scheme), ("$PBKDF2-SHA256$1$$\(digest)", .scheme),
            (" $pbkdf2-sha256$1$$\(digest)", .scheme), ("$pbkdf2-sha256", .fieldCount(1)),
            ("$pbkdf2-sha256$1$abc", .fieldCount(3)), ("$pbkdf2-sha256$1$$\(digest)$", .fieldCount(5)),
            ("$pbkdf2-sha256$$$\(digest)", .rounds("")), ("$pbkdf2-sha256$0$$\(digest)", .rounds("0")),
            ("$pbkdf2-sha256$01$$\(digest)", .rounds("01")), ("$pbkdf2-sha256$-1$$\(digest)", .rounds("-1")),
            ("$pbkdf2-sha256$+1$$\(digest)", .rounds("+1")), ("$pbkdf2-sha256$1 $$\(digest)", .rounds("1 ")),
            ("$pbkdf2-sha256$١$$\(digest)", .rounds("١")),
            ("$pbkdf2-sha256$4000001$$\(digest)", .rounds("4000001")),
            ("$pbkdf2-sha256$99999999999999999999$$\(digest)", .rounds("99999999999999999999")),
            ("$pbkdf2-sha256$1$a$\(digest)", .salt), ("$pbkdf2-sha256$1$A$\(digest)", .salt),
            ("$pbkdf2-sha256$1$ab=$\(digest)", .salt),
            ("$pbkdf2-sha256$1$a+bc$\(digest)", .salt), ("$pbkdf2-sha256$1$ab$\(digest)", .salt),
            ("$pbkdf2-sha256$1$aé$\(digest)", .salt), ("$pbkdf2-sha256$1$$", .digest),
            ("$pbkdf2-sha256$1$$\(digest)\n", .digest), ("$pbkdf2-sha256$1$$\(digest)A", .digest),
            ("$pbkdf2-sha256$1$$\(digest.dropLast())1", .digest),
            ("$pbkdf2-sha256$1$$\(digest.dropLast())", .digest),
            ("$pbkdf2-sha256$1$\(String(repeating: "A", count: 1_368))$\(digest)", .salt),
        ] as [(String, PasswordHash.Error)])
    func `a malformed hash is refused with the name of what is wrong`(text: String, error: PasswordHash.Error)
    {
        #expect(throws: error) { try PasswordHash(modular: text) }
    }

    @Test func `the longest salt is accepted`() throws {
        let longest = "$pbkdf2-sha256$1$\(String(repeating: "A", count: 1_366))$\(Self.digest)"
        #expect(try PasswordHash(modular: longest).modular == longest)
    }

    @Test func `a new hash matches its password, in the modular form as well`() throws {
        let hash = try PasswordHash(
            password: secret("correct horse"), rounds: 1_000, random: SecureRandom(.nonce))
        #expect(try hash.matches(secret("correct horse")))
        #expect(try !hash.matches(secret("correct horsf")))
        #expect(try !hash.matches(secret("")))
        #expect(try PasswordHash(modular: hash.modular) == hash)
        let other = try PasswordHash(
            password: secret("correct horse"), rounds: 1_000, random: SecureRandom(.nonce))
        #expect(other != hash, "each has a salt of its own")
    }

    @Test(arguments: [0, -1, PasswordHash.maximumRounds + 1, .max])
    func `a new hash has bounded rounds`(rounds: Int) throws {
        #expect(throws: PasswordHash.Error.rounds(String(rounds))) {
            try PasswordHash(password: secret("p"), rounds: rounds, random: FixedRandom())
        }
    }

    @Test func `an unknown user costs the rounds of a known one, and never matches`() throws {
        let hash = try PasswordHash(password: secret("right"), rounds: 1_000, random: FixedRandom())
        #expect(try PasswordHash.matches(secret("right"), hash, roundsIfUnknown: 1_000))
        #expect(try !PasswordHash.matches(secret("wrong"), hash, roundsIfUnknown: 1_000))
        #expect(try !PasswordHash.matches(secret("right"), nil, roundsIfUnknown: 1_000))
        // That the rounds come to the derivation shows where it refuses them.
        #expect(throws: CryptoError.cost("rounds")) {
            try PasswordHash.matches(secret("right"), nil, roundsIfUnknown: 0)
        }
        #expect(try PasswordHash.matches(secret("right"), hash, roundsIfUnknown: 0))
    }

    @Test func `p104_ neither a hash nor its errors show salt or digest`() throws {
        let text = "$pbkdf2-sha256$1$Q4hR6n3PmdM$mMJdHVBG4Bmh38q.cZOZZ4YAYVvfGt6R1qB7deKKKT4"
        var dumped = ""
        dump(try PasswordHash(modular: text), to: &dumped)
        #expect(try "\(PasswordHash(modular: text))" == "PasswordHash(1 rounds)")
        #expect(!dumped.contains("152") && !dumped.contains("67"), "the first bytes of digest and salt")
        for (old, new) in [("Q4h", "Q=h"), ("KKKT4", "KKK=4"), ("$1$", "$x$")] {
            let malformed = text.replacingOccurrences(of: old, with: new)
            let error = #expect(throws: PasswordHash.Error.self) { try PasswordHash(modular: malformed) }
            #expect(!"\(error as Any)".contains("R6n3PmdM") && !"\(error as Any)".contains("mMJdHVBG"))
        }
    }
}
