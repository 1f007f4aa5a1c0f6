import Foundation
import Testing

@testable import PDCrypto

/// Pitfall 60: whatever the bytes, the answer is a value or an error.
@Suite("Pitfall 60: sweeps over real keys and signatures")
struct PitfallsSweepTests {
    /// Recorded certificates, binary.
    static func certificates() throws -> [[UInt8]] {
        var files = ["v1/release/ed25519/server_pub.asc", "v1/secret_keeping/public_key.asc"]
        for algorithm in WireRequest.algorithms {
            for role in ["client", "expired", "revoked", "other", "server"] {
                files.append("v1/wire/\(algorithm)/\(role)_pub.asc")
            }
        }
        files.append("v1/wire/ed25519/subkey_pub.asc")
        return try files.map { try OpenPGP.Certificate(Vectors.bytes($0)).bytes }
    }

    /// Recorded signatures, binary, with what they sign.
    static func signatures() throws -> [(WireRequest, [UInt8])] {
        try WireRequest.signed().compactMap { request in
            let armored = Array((request.signature ?? "").utf8)
            // Those that are no armor are looked at elsewhere.
            return (try? OpenPGP.Armor.unwrap(armored, kind: .signature, limit: 1 << 16)).map {
                (request, $0)
            }
        }
    }

    @Test("p60 A signature cut at any length is refused, at every one")
    func p60_cutSignatures() throws {
        for (request, signature) in try Self.signatures().prefix(400) where request.variant == "ok" {
            let verifier = try WireVectorTests.clientVerifier(request.alg)
            let data = Array((request.data ?? "").utf8)
            let armored = Array((request.signature ?? "").utf8)
            for length in 0..<signature.count {
                #expect(throws: OpenPGP.Error.self) {
                    try verifier.verify(
                        signature: Array(signature[..<length]), of: data, at: WireVectorTests.now)
                }
            }
            // The last line end of the armor is not needed.
            for length in 0..<(armored.count - 1) {
                #expect(throws: OpenPGP.Error.self) {
                    try verifier.verify(
                        signature: Array(armored[..<length]), of: data, at: WireVectorTests.now)
                }
            }
        }
    }

    @Test("p60 A signature with any one bit flipped is refused, but for what nobody signed")
    func p60_flippedSignatures() throws {
        for (request, signature) in try Self.signatures() where request.variant == "ok" {
            let verifier = try WireVectorTests.clientVerifier(request.alg)
            let data = Array((request.data ?? "").utf8)
            let parsed = try OpenPGP.SignaturePacket(
                OpenPGP.Verifier.signaturePackets(signature)[0].body)
            // From the end of the hashed area to the numbers: the unhashed area and 16 bits of the digest.
            let protectedStart = parsed.value.startIndex
            let free = (parsed.hashedPart.endIndex + 2)..<protectedStart
            var acceptedOffsets = Set<Int>()
            for offset in signature.indices {
                for bit in 0..<8 {
                    var changed = signature
                    changed[offset] ^= 1 << bit
                    if (try? verifier.verify(signature: changed, of: data, at: WireVectorTests.now)) != nil {
                        acceptedOffsets.insert(offset)
                    }
                }
            }
            #expect(acceptedOffsets.isSubset(of: Set(free)), "\(request.name): \(acceptedOffsets.sorted())")
            #expect(!acceptedOffsets.isEmpty)
        }
    }

    @Test(
        "p60 A certificate cut or changed anywhere is read or refused, never a trap, and never vouches for more"
    )
    func p60_certificates() throws {
        let keys = try Self.certificates()
        #expect(keys.count == 13)
        for (index, bytes) in keys.enumerated() {
            let original = try OpenPGP.Certificate(bytes)
            for length in 0..<bytes.count {
                guard let cut = try? OpenPGP.Certificate(Array(bytes[..<length])) else { continue }
                #expect(cut.fingerprint == original.fingerprint)
                #expect(cut.bytes == Array(bytes[..<length]))
            }
            // Every bit of one key, and one bit of each octet of the others.
            for offset in bytes.indices {
                for bit in index == 0 ? 0..<8 : (offset % 8)..<(offset % 8 + 1) {
                    var changed = bytes
                    changed[offset] ^= 1 << bit
                    for certificate in (try? OpenPGP.Certificate.all(in: changed)) ?? [] {
                        let sameKey = certificate.fingerprint == original.fingerprint
                        // Another key is nobody's, and no key lives longer than its owner said.
                        #expect(sameKey || certificate.userIDs.isEmpty)
                        if let end = original.expirationTime(at: WireVectorTests.now),
                            certificate.problem(at: WireVectorTests.now) == nil
                        {
                            #expect(certificate.expirationTime(at: WireVectorTests.now) == end)
                        }
                    }
                }
            }
        }
    }

    @Test("p60 What is read as packets is written again as it was")
    func p60_roundTrip() throws {
        for bytes in try Self.certificates() {
            var reader = OpenPGP.PacketReader(bytes[...])
            var again = [UInt8]()
            while let packet = try reader.next() {
                again += packet.bytes
                #expect(packet.bytes.suffix(packet.body.count) == packet.body)
            }
            #expect(again == bytes)
            #expect(
                try OpenPGP.Armor.unwrap(
                    OpenPGP.Armor.wrap(bytes, kind: .publicKey), kind: .publicKey, limit: 1 << 20) == bytes)
        }
        for (request, signature) in try Self.signatures() where request.variant == "ok" {
            // gpg's armor and ours are the same text.
            #expect(OpenPGP.Armor.wrap(signature, kind: .signature) == Array((request.signature ?? "").utf8))
        }
    }

    @Test("p60 Random bytes, and secret keys cut or changed anywhere, are refused without a trap")
    func p60_noise() throws {
        var random = SplitMix64(state: 60)
        let verifier = try Scene().verifier
        for _ in 0..<3000 {
            var bytes = (0..<Int.random(in: 0..<120, using: &random)).map { _ in
                UInt8.random(in: .min ... .max, using: &random)
            }
            if !bytes.isEmpty {
                bytes[0] = [0x88, 0x99, 0xc2, 0xc6, 0x94, 0xb4, 0xcb].randomElement(using: &random) ?? 0
            }
            #expect(throws: OpenPGP.Error.self) {
                try verifier.verify(signature: bytes, of: [], at: ForgedKey.now)
            }
            #expect(throws: OpenPGP.Error.self) { try OpenPGP.SecretKey(bytes) }
            _ = try? OpenPGP.Certificate.all(in: bytes)
        }
        let key = try OpenPGP.SecretKey.generate(userID: "x", at: ForgedKey.born, validity: nil)
        let binary = try OpenPGP.Armor.unwrap(
            key.armored().withUnsafeBytes { Array($0) }, kind: .secretKey, limit: 1 << 16)
        for offset in binary.indices {
            _ = try? OpenPGP.SecretKey(Array(binary[..<offset]))
            for bit in 0..<8 {
                var changed = binary
                changed[offset] ^= 1 << bit
                guard let read = try? OpenPGP.SecretKey(changed) else { continue }
                // What is still accepted signs with a key that verifies.
                if let signature = try? read.signDetached([1], at: ForgedKey.born.advanced(by: 60)) {
                    _ = try OpenPGP.Verifier(certificates: [read.certificate])
                        .verify(signature: signature, of: [1], at: ForgedKey.born.advanced(by: 60))
                }
            }
        }
    }
}
