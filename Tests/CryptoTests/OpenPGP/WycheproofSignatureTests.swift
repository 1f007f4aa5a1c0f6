import Foundation
import Testing

@testable import PDCrypto

/// Wycheproof's signatures, in the numbers that OpenPGP carries. See `Tests/Support/fetch-vectors.sh`.
@Suite("Wycheproof signatures", .enabled(if: Vectors.fetched != nil, "PENGUINDOME_TEST_VECTORS is not set"))
struct WycheproofSignatureTests {
    struct File: Decodable {
        var testGroups: [Group]
    }

    struct Group: Decodable {
        var publicKey: Key
        var sha: String?
        var tests: [Case]
    }

    struct Key: Decodable {
        var modulus: String?
        var publicExponent: String?
        var uncompressed: String?
        var pk: String?
    }

    struct Case: Decodable {
        var tcId: Int
        var comment: String
        var flags: [String]
        var msg: String
        var sig: String
        var result: String
    }

    static func key(algorithm: UInt8, _ fields: [UInt8]) throws -> OpenPGP.PublicKey {
        try OpenPGP.PublicKey(([4] + OpenPGP.bigEndian(ForgedKey.born.seconds) + [algorithm] + fields)[...])
    }

    static func accepts(
        _ key: OpenPGP.PublicKey, _ fields: [UInt8], _ digest: [UInt8], _ hash: DigestState.Algorithm
    )
        -> Bool
    {
        do throws(OpenPGP.Error) {
            try key.verify(fields[...], digest: digest, hash: hash)
            return true
        } catch {
            return false
        }
    }

    @Test(
        "p42 RSA PKCS #1 v1.5 forgeries are refused and good signatures accepted",
        arguments: [
            (2048, "sha256"), (2048, "sha384"), (2048, "sha512"), (3072, "sha256"), (3072, "sha384"),
            (3072, "sha512"),
            (4096, "sha256"), (4096, "sha384"), (4096, "sha512"), (8192, "sha256"), (8192, "sha512"),
        ])
    func p42_rsa(bits: Int, hash: String) throws {
        let file: File = try Vectors.fetched("Signature/wycheproof/rsa_signature_\(bits)_\(hash)_test.json")
        let algorithm: DigestState.Algorithm =
            hash == "sha256" ? .sha256 : hash == "sha384" ? .sha384 : .sha512
        var counts = (valid: 0, invalid: 0, smallExponent: 0)
        for group in file.testGroups {
            let (modulus, exponent) = (
                hex(group.publicKey.modulus ?? ""), hex(group.publicKey.publicExponent ?? "")
            )
            let key = try Self.key(algorithm: 1, OpenPGP.mpi(modulus) + OpenPGP.mpi(exponent))
            // Those of exponent 3 among them, for which careless readers of the padding accept forgeries.
            if exponent != [1, 0, 1] { counts.smallExponent += 1 }
            for test in group.tests {
                let signature = hex(test.sig)
                // A number has no length of its own in OpenPGP, so zeros before it cannot be wrong.
                guard test.result == "valid" || signature.count == bits / 8 else { continue }
                let digest = DigestState.hash(hex(test.msg), algorithm)
                let isAccepted = Self.accepts(key, OpenPGP.mpi(signature), digest, algorithm)
                // "acceptable" is the form without the NULL, which is not the one of PKCS #1.
                #expect(isAccepted == (test.result == "valid"), "\(test.tcId): \(test.comment)")
                if test.result == "valid" { counts.valid += 1 } else { counts.invalid += 1 }
            }
        }
        #expect(counts.valid > 5 && counts.invalid > 50, "\(counts)")
    }

    @Test("p44 ECDSA on P-256: edge cases as Wycheproof judges them", arguments: ["sha256", "sha512"])
    func p44_ecdsa(hash: String) throws {
        let file: File = try Vectors.fetched("Signature/wycheproof/ecdsa_secp256r1_\(hash)_p1363_test.json")
        let algorithm: DigestState.Algorithm = hash == "sha256" ? .sha256 : .sha512
        let oid = hex("082a8648ce3d030107")
        var counts = (valid: 0, invalid: 0)
        for group in file.testGroups {
            let key = try Self.key(algorithm: 19, oid + OpenPGP.mpi(hex(group.publicKey.uncompressed ?? "")))
            for test in group.tests {
                let signature = hex(test.sig)
                // Other lengths are of the fixed-length form, which OpenPGP does not have.
                guard signature.count == 64 else { continue }
                let digest = DigestState.hash(hex(test.msg), algorithm)
                let fields = OpenPGP.mpi(signature.prefix(32)) + OpenPGP.mpi(signature.suffix(32))
                #expect(
                    Self.accepts(key, fields, digest, algorithm) == (test.result == "valid"),
                    "\(test.tcId): \(test.comment)")
                if test.result == "valid" { counts.valid += 1 } else { counts.invalid += 1 }
            }
        }
        #expect(counts.valid > 100 && counts.invalid > 30, "\(counts)")
    }

    @Test("p43 Ed25519: edge cases as Wycheproof judges them, in both forms of OpenPGP")
    func p43_ed25519() throws {
        let file: File = try Vectors.fetched("Signature/wycheproof/ed25519_test.json")
        let oid = OpenPGP.PublicKeyAlgorithm.ed25519OID
        var counts = (valid: 0, invalid: 0, special: 0)
        for group in file.testGroups {
            let point = hex(group.publicKey.pk ?? "")
            let native = try Self.key(algorithm: 27, point)
            let legacy = try Self.key(algorithm: 22, [UInt8(oid.count)] + oid + OpenPGP.mpi([0x40] + point))
            for test in group.tests {
                let signature = hex(test.sig)
                let message = hex(test.msg)
                let isNative = Self.accepts(native, signature, message, .sha256)
                let numbers = OpenPGP.mpi(signature.prefix(32)) + OpenPGP.mpi(signature.dropFirst(32))
                // Only strings of 64 octets have a form in numbers.
                if signature.count == 64 {
                    #expect(Self.accepts(legacy, numbers, message, .sha256) == isNative, "\(test.tcId)")
                }
                if test.flags.contains(where: { $0.hasSuffix("OrderPublicKey") }) {
                    counts.special += 1
                    // Such a key is its owner's own harm; that nothing invalid is accepted matters all the same.
                    #expect(!isNative || test.result != "invalid", "\(test.tcId): \(test.comment)")
                    continue
                }
                #expect(isNative == (test.result == "valid"), "\(test.tcId): \(test.comment)")
                if test.result == "valid" { counts.valid += 1 } else { counts.invalid += 1 }
            }
        }
        #expect(counts.valid > 50 && counts.invalid > 30, "\(counts)")
    }
}
