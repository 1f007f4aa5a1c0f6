import CGcrypt
import Foundation
import Glibc
import PDSecrets
import Testing

@testable import PDCrypto

/// That what libgcrypt gives is given back, each time.
@Suite struct LeaksTests {
    private static let operations: [(name: String, run: @Sendable () throws -> Void)] = [
        (
            "Argon2id",
            {
                _ = try Argon2id.deriveKey(
                    password: SecretBytes(count: 1), salt: [UInt8](0..<8), memory: 8, passes: 1, lanes: 1)
            }
        ),
        (
            "Ed25519 keys",
            { _ = try Curve25519.Signing.PrivateKey(rawRepresentation: SecretBytes(count: 32)) }
        ),
        (
            "points that are none",
            { _ = try EdwardsPoint.isUsableAsKey([UInt8](repeating: 2, count: 32)) }
        ),
        (
            "signatures",
            {
                let key = try Curve25519.Signing.PrivateKey(rawRepresentation: SecretBytes(count: 32))
                let signature = try key.signature(of: [1], for: .file)
                _ = try key.publicKey.isValidSignature(signature, of: [2], for: .file)
            }
        ),
        ("digests", { _ = DigestState(.sha256).copy().digest() }),
        ("codes", { _ = try HMAC.authenticationCode(for: [1], using: SecretBytes(count: 1), hash: .sha256) }),
        (
            "ciphers",
            { _ = try AES.GCM.seal([1], using: SecretBytes(count: 32), random: FixedRandom()) }
        ),
    ]

    @Test func `p145_ what is done over and over takes no more memory each time`() throws {
        // In a process of its own: other tests allocate beside this one.
        guard ProcessInfo.processInfo.environment["PENGUINDOME_TEST_LEAKS"] != nil else {
            let executable = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
            let result = try Program.run(
                executable, ["--testing-library", "swift-testing", "--filter", "LeaksTests"],
                environment: ["PENGUINDOME_TEST_LEAKS": "1"])
            let output = String(decoding: result.output, as: UTF8.self) + result.errors
            #expect(result.status == 0 && output.contains("1 test"), "\(output)")
            return
        }
        for (name, run) in Self.operations {
            for _ in 0..<100 { try run() }
            let before = mallinfo2().uordblks
            for _ in 0..<1_000 { try run() }
            // The smallest thing that could be lost has 16 bytes, and is lost a thousand times.
            let after = mallinfo2().uordblks
            #expect(after < before + 12_000, "\(name): \(Int(after) - Int(before)) bytes")
        }
    }
}
