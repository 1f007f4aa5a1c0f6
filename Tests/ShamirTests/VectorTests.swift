import Foundation
import PDCrypto
import PDSecrets
import Testing

@testable import PDShamir

@Suite("Share files made by another implementation (vectors/shamir/make.py)")
struct VectorTests {
    struct Case: Decodable, CustomTestStringConvertible {
        let name: String
        let label: String?
        let created: String
        let threshold: Int
        let shares: Int
        let secret_bytes: Int
        let sealed: Bool
        let set: String
        let holders: [String?]
        let passphrases: [String?]
        let secret_b64: Data?
        let texts: [String]
        let key_b64: Data?
        let sealed_b64: Data?
        let sealed_file: String?
        let printed: [String]?
        let secret_sha256: String

        var testDescription: String { name }

        /// The shares as their holders have them.
        func read() throws -> [Share] { try texts.map { try Share(text: $0) } }

        /// The shares without their passphrases.
        func unlocked() throws -> [Share] {
            try read().map { share in
                let passphrase = passphrases[Int(share.number) - 1] ?? ""
                return try share.unlocked(
                    passphrase: SecretBytes(copying: Array(passphrase.utf8)), cryptography: TestCryptography()
                )
            }
        }
    }

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
        .appending(path: "../../vectors/shamir").standardizedFileURL

    static func cases() throws -> [Case] {
        try JSONDecoder().decode(
            [Case].self, from: Data(contentsOf: folder.appending(path: "vectors.json")))
    }

    @Test(arguments: try cases())
    func p21_everyFieldReadsAsItWasWrittenAndWritesAsItWasRead(vector: Case) throws {
        for (text, share) in zip(vector.texts, try vector.read()) {
            #expect(share.text == text)
            #expect(share.set.label == vector.label)
            #expect(share.set.created == vector.created)
            #expect(share.set.threshold == vector.threshold)
            #expect(share.set.shares == vector.shares)
            #expect(share.holder == vector.holders[Int(share.number) - 1])
            #expect((share.protection != nil) == (vector.passphrases[Int(share.number) - 1] != nil))
            #expect(
                share.set.identifier.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
                    == vector.set)
        }
    }

    @Test(arguments: try cases())
    func p21_theSharesRestoreTheSecretOrTheSealedFilesKey(vector: Case) throws {
        let shares = try vector.unlocked()
        for start in shares.indices {
            let choice = (0..<vector.threshold).map { shares[(start + $0) % shares.count] }
            let combination = try ShareCombination(choice, cryptography: TestCryptography())
            #expect(combination.changed.isEmpty)
            #expect(
                Data(combination.secret.withUnsafeBytes { Array($0) }) == vector.key_b64 ?? vector.secret_b64)
        }
    }

    @Test(arguments: try cases().filter { $0.printed != nil })
    func p21_theSealedFileIsPrintedAsItWasAndReadsBack(vector: Case) throws {
        let (sealed, printed) = (Array(try #require(vector.sealed_b64)), try #require(vector.printed))
        #expect(SealedPart.parts(of: sealed).map(\.text) == printed)
        let read = Array(printed.reversed().joined().utf8).withUnsafeBytes { SealedPart.scan($0) }
        #expect(read.damaged == 0)
        #expect(SealedPart.joined(read.parts).file == sealed)
    }

    @Test(arguments: try cases().filter(\.sealed))
    func p21_theSealedFileOpens(vector: Case) throws {
        let sealed = Array(
            try vector.sealed_b64
                ?? Data(contentsOf: Self.folder.appending(path: #require(vector.sealed_file))))
        let combination = try ShareCombination(try vector.unlocked(), cryptography: TestCryptography())
        #expect(SealedFormat.set(fromHeader: sealed[..<31]) == combination.set.identifier)
        var opener = SealedFile(
            key: combination.secret, set: combination.set.identifier, cryptography: TestCryptography())
        var secret = Data()
        var rest = sealed[31...]
        while !rest.isEmpty {
            let chunk = rest.prefix(SealedFormat.chunkBytes + SealedFormat.tagBytes)
            rest = rest.dropFirst(chunk.count)
            var plain = SecretBytes(count: chunk.count - SealedFormat.tagBytes)
            try chunk.withUnsafeBytes { chunk in
                try plain.withUnsafeMutableBytes { try opener.open(chunk, last: rest.isEmpty, into: $0) }
            }
            secret += plain.withUnsafeBytes { Array($0) }
        }
        #expect(secret.count == vector.secret_bytes)
        #expect(BaseN.hexadecimal.text(SHA256.hash(secret)) == vector.secret_sha256)
    }
}
