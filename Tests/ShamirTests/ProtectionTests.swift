import PDSecrets
import Testing

@testable import PDShamir

@Suite("Shares with a passphrase")
struct ProtectionTests {
    private let cheap: PassphraseCost
    private let passphrase = SecretBytes(copying: Array("correct horse".utf8))
    private let sample: Sample

    init() throws {
        sample = try Sample()
        cheap = try #require(PassphraseCost(memory: 64, passes: 1, lanes: 1))
    }

    private func lock(_ share: Share, seed: UInt64 = 40) throws -> Share {
        let randomness = CountingRandomness(seed: seed)
        return try share.locked(
            passphrase: passphrase, cost: cheap, randomness: randomness, cryptography: TestCryptography())
    }

    @Test func aLockedShareIsWrittenReadUnlockedAndCombined() throws {
        let locked = try Share(text: lock(sample.shares[1]).text)
        #expect(locked.protection?.cost == cheap)
        let unlocked = try locked.unlocked(passphrase: passphrase, cryptography: TestCryptography())
        #expect(unlocked.text == sample.text(1))
        let combination = try Sample.combine([sample.shares[0], unlocked, sample.shares[2]])
        #expect(combination.changed.isEmpty)
    }

    @Test func aWrongPassphraseAndAChangedShareGiveTheSameError() throws {
        let locked = try lock(sample.shares[1])
        let wrong = SecretBytes(copying: Array("wrong".utf8))
        #expect(throws: ShareFileError.wrongPassphrase) {
            _ = try locked.unlocked(passphrase: wrong, cryptography: TestCryptography())
        }
        let changes = [
            try locked.flipped(bit: 0), try locked.flipped(bit: locked.body.count * 8 - 1),
            try locked.rewritten(holder: "Mallory"), try locked.rewritten(number: 3, holder: locked.holder),
        ]
        for changed in changes {
            #expect(throws: ShareFileError.wrongPassphrase) {
                _ = try changed.unlocked(passphrase: passphrase, cryptography: TestCryptography())
            }
        }
    }

    @Test func aLockedShareCannotBeCombined() throws {
        let shares = [sample.shares[0], try lock(sample.shares[1]), sample.shares[2]]
        #expect(throws: ShareFileError.passphraseNeeded) { _ = try Sample.combine(shares) }
    }

    @Test func equalPassphrasesDoNotShow() throws {
        let (first, second) = (try lock(sample.shares[0], seed: 41), try lock(sample.shares[0], seed: 42))
        #expect(first.protection?.salt != second.protection?.salt)
        #expect(first.body.array != second.body.array)
    }

    @Test func aSaltIsNeverMadeOfBytesThatWereDrawnBefore() throws {
        // The check key is drawn first. With a generator that could be copied, the salt would be equal to it.
        let randomness = CountingRandomness(seed: 44)
        let first = CountingRandomness(seed: 44)
        let checkKey = (0..<16).map { _ in first.nextByte() }
        let set = try ShareSet.sample()
        let shares = try set.split(
            SecretBytes(copying: Sample.secret), randomness: randomness, cryptography: TestCryptography())
        let locked = try shares[0].locked(
            passphrase: passphrase, cost: cheap, randomness: randomness, cryptography: TestCryptography())
        #expect(locked.protection?.salt != checkKey)
    }

    @Test func anEmptyPassphraseAndASecondLockAreRefused() throws {
        let randomness = CountingRandomness(seed: 43)
        #expect(throws: ShareFileError.invalidField("Protection")) {
            _ = try sample.shares[0].locked(
                passphrase: SecretBytes(count: 0), cost: cheap, randomness: randomness,
                cryptography: TestCryptography())
        }
        let locked = try lock(sample.shares[0])
        #expect(throws: ShareFileError.invalidField("Protection")) { _ = try lock(locked) }
    }

    @Test(arguments: [
        "argon2id 1048577 3 1", "argon2id 7 1 1", "argon2id 65536 0 1", "argon2id 65536 17 1",
        "argon2id 65536 3 0",
        "argon2id 65536 3 17", "argon2i 65536 3 1", "argon2id 065536 3 1", "argon2id 65536 3",
        "argon2id 99999999999999999999 3 1",
    ])
    func costsThatWouldTakeTheMachineDownAreRefusedBeforeTheyAreTried(cost: String) throws {
        let locked = try lock(sample.shares[0])
        let salt = ShareText.plain([UInt8](repeating: 1, count: 16))
        let text = locked.text.replacingLine(
            "Protection", with: checked("Protection: \(cost) \(salt)", on: locked))
        do throws(ShareFileError) {
            _ = try Share(text: text)
            Issue.record("it reads")
        } catch .damaged(let problems) {
            #expect(problems.contains { $0.key == "Protection" && $0.reason == .invalid }, "\(problems)")
        } catch {
            Issue.record("\(error)")
        }
    }

    @Test func aProtectionLineAddedToAnOpenShareDoesNotMakeItReadAsOne() throws {
        let line = checked(
            "Protection: argon2id 64 1 1 \(ShareText.plain([UInt8](repeating: 1, count: 16)))",
            on: sample.shares[0])
        let lines = sample.text(0).split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        let changed = lines[..<9] + [line] + lines[9...]
        #expect(throws: ShareFileError.self) { _ = try Share(text: changed.joined(separator: "\n")) }
    }
}
