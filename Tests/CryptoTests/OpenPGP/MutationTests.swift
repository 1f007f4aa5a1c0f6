import Foundation
import Testing

@testable import PDCrypto

/// Signatures that were changed at random: none may be accepted here that `gpg --verify` or gpgv refuses.
///
/// Where both refuse the file as it lies there, they must accept what counts in it: each signature packet that is accepted
/// here by itself, written again as gpg writes it. The readers differ about what stands around those packets: armor without
/// a checksum or with a wrong one, packets that say nothing, signatures by unknown keys. And what is accepted must be what
/// its maker signed, to the last bit.
///
/// gpg is asked about the mutants that are accepted here, which are few, and about a sample of the others, which shows
/// how much stricter this reader is. `PENGUINDOME_FULL_MUTATIONS=1` makes 100,000 mutants instead of 2,000.
@Suite("Mutated signatures")
struct MutationTests {
    /// A good signature, as it is changed: binary, or as text.
    struct Seed {
        var signature: [UInt8]
        var isArmored: Bool
    }

    static let isFull = ProcessInfo.processInfo.environment["PENGUINDOME_FULL_MUTATIONS"] != nil
    static let document = Array("a document of some length\n".utf8)

    /// What a signature says of itself under its maker's hand.
    static func hashedPart(_ signature: [UInt8]) throws -> [UInt8] {
        let packet = try #require(OpenPGP.Verifier.signaturePackets(signature).first)
        return try Array(OpenPGP.SignaturePacket(packet.body).hashedPart)
    }

    @Test("No mutant is accepted that gpg or gpgv refuses, or whose signature they refuse")
    func mutants() throws {
        let home = try GnuPGHome()
        var seeds = [Seed]()
        for algorithm in ["ed25519", "rsa2048", "nistp256"] {
            try home.gpg("--quick-generate-key", algorithm, algorithm, "sign", "1y")
            for hash in ["SHA256", "SHA512"] {
                for form in ["--armor", "--no-armor"] {
                    let signature = try home.gpg(
                        "--local-user", algorithm, "--digest-algo", hash, form, "--detach-sign",
                        input: Self.document)
                    seeds.append(Seed(signature: signature, isArmored: form == "--armor"))
                }
            }
        }
        let verifier = try OpenPGP.Verifier(certificates: OpenPGP.Certificate.all(in: home.gpg("--export")))
        let keyring = try home.file("keys.pgp", home.gpg("--export"))
        let documentPath = try home.file("document", Self.document)

        /// What gpg and gpgv say.
        func peersAccept(_ signature: [UInt8]) throws -> Bool {
            let path = try home.file("mutant", signature)
            let gpg = try home.tryGpg(["--no-auto-key-retrieve", "--verify", path, documentPath])
            guard gpg.status == 0 else { return false }
            return try Program.run("gpgv", ["--keyring", keyring, path, documentPath]).status == 0
        }

        let signed = try Set(
            seeds.map {
                try Self.hashedPart(OpenPGP.Armor.unwrap($0.signature, kind: .signature, limit: 1 << 16))
            })
        var random = SplitMix64(state: 38)
        var seen = Set(seeds.map(\.signature))
        var counts = (mutants: 0, accepted: 0, writtenAgain: 0, sampled: 0, onlyPeers: 0)
        let wanted = Self.isFull ? 100_000 : 2000
        let now = OpenPGP.Timestamp.now()
        while counts.mutants < wanted {
            let seed = try #require(seeds.randomElement(using: &random))
            let other = try #require(seeds.randomElement(using: &random))
            let mutant = Mutator.mutate(seed, other, &random)
            guard seen.insert(mutant).inserted else { continue }
            counts.mutants += 1
            let single = try? verifier.verify(signature: mutant, of: Self.document, at: now)
            let release = try? verifier.verifyRelease(signatures: mutant, of: Self.document, at: now)
            if single == nil, release == nil {
                if counts.mutants % 500 == 0 {
                    counts.sampled += 1
                    if try peersAccept(mutant) { counts.onlyPeers += 1 }
                }
                continue
            }
            counts.accepted += 1
            let packets = try OpenPGP.Verifier.signaturePackets(mutant)
            let counting = packets.map { OpenPGP.packet(.signature, $0.body) }.filter {
                (try? verifier.verify(signature: $0, of: Self.document, at: now)) != nil
            }
            #expect(!counting.isEmpty)
            for packet in counting { #expect(try signed.contains(Self.hashedPart(packet))) }
            if try peersAccept(mutant) { continue }
            counts.writtenAgain += 1
            if try counting.allSatisfy(peersAccept) { continue }
            Issue.record("accepted here and refused by gpg or gpgv: \(Data(mutant).base64EncodedString())")
        }
        print("mutated signatures: \(counts)")
        #expect(counts.accepted > 0 && counts.accepted < wanted / 4, "\(counts)")
    }
}

/// Random changes of signatures, blind ones and such as know the format.
enum Mutator {
    static func mutate(
        _ seed: MutationTests.Seed, _ other: MutationTests.Seed, _ random: inout SplitMix64
    ) -> [UInt8] {
        // Half of the armored ones are changed inside and armored again, with a right checksum or none.
        if seed.isArmored, Bool.random(using: &random),
            let binary = try? OpenPGP.Armor.unwrap(seed.signature, kind: .signature, limit: 1 << 16)
        {
            let changed = changeBinary(binary, other.signature, &random)
            let text = OpenPGP.Armor.wrap(changed, kind: .signature)
            return Bool.random(using: &random) ? text : withoutChecksum(text)
        }
        if seed.isArmored, Int.random(in: 0..<4, using: &random) > 0 {
            return changeText(seed.signature, &random)
        }
        return changeBinary(seed.signature, other.signature, &random)
    }

    static func withoutChecksum(_ text: [UInt8]) -> [UInt8] {
        let lines = text.split(separator: 0x0a, omittingEmptySubsequences: false)
        return Array(lines.filter { $0.first != UInt8(ascii: "=") }.joined(separator: [0x0a]))
    }

    static func changeBinary(_ bytes: [UInt8], _ other: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var bytes = bytes
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            guard let offset = bytes.indices.randomElement(using: &random) else { return bytes }
            let byte = UInt8.random(in: .min ... .max, using: &random)
            switch Int.random(in: 0..<12, using: &random) {
            case 0, 1: bytes[offset] ^= 1 << (byte & 7)
            case 2: bytes[offset] = byte
            case 3: bytes.insert(byte, at: offset)
            case 4: bytes.remove(at: offset)
            case 5: bytes.removeLast(bytes.count - offset)
            case 6: bytes += (0..<Int(byte & 15)).map { _ in UInt8.random(in: .min ... .max, using: &random) }
            case 7: bytes += other
            case 8: bytes = Array(other.prefix(offset) + bytes.dropFirst(offset))
            case 9:
                bytes = OpenPGP.packet(OpenPGP.PacketTag(rawValue: byte & 63 | 1), other) + bytes
            default: bytes = changeSubpackets(bytes, &random)
            }
        }
        return bytes
    }

    /// Adds, drops or alters a subpacket of either area and sets the lengths right again.
    static func changeSubpackets(_ bytes: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var reader = OpenPGP.PacketReader(bytes[...])
        guard let packet = try? reader.next(), let signature = try? OpenPGP.SignaturePacket(packet.body)
        else {
            return bytes
        }
        let hashed = Array(signature.hashedPart.dropFirst(6))
        let unhashedStart = signature.hashedPart.endIndex + 2
        var areas = [hashed, Array(bytes[unhashedStart..<(signature.value.startIndex - 2)])]
        let index = Int.random(in: 0..<5, using: &random) == 0 ? 0 : 1
        let byte = UInt8.random(in: .min ... .max, using: &random)
        let type = UInt8.random(in: 0...40, using: &random) | (byte & 0x80)
        let body = (0..<Int.random(in: 0..<9, using: &random)).map { _ in byte }
        switch Int.random(in: 0..<5, using: &random) {
        case 0: areas[index] += OpenPGP.Subpackets.write(type, body)
        case 1: areas[index] = OpenPGP.Subpackets.write(type, body) + areas[index]
        case 2: areas[index] = []
        case 3: areas[index] += areas[1 - index]
        default: areas[index] += OpenPGP.Subpackets.write(3 | (byte & 0x80), [0, 0, 0, byte])
        }
        var changed = Array(signature.hashedPart.prefix(4))
        for area in areas { changed += OpenPGP.bigEndian(area.count).suffix(2) + area }
        changed += bytes[(signature.value.startIndex - 2)..<packet.body.endIndex]
        return OpenPGP.packet(.signature, changed) + bytes[packet.body.endIndex...]
    }

    static func changeText(_ text: [UInt8], _ random: inout SplitMix64) -> [UInt8] {
        var lines = text.split(separator: 0x0a, omittingEmptySubsequences: false).map(Array.init)
        for _ in 0..<Int.random(in: 1...2, using: &random) {
            guard let line = lines.indices.randomElement(using: &random) else { break }
            let character = UInt8.random(in: 0...127, using: &random)
            switch Int.random(in: 0..<13, using: &random) {
            case 0:
                if let offset = lines[line].indices.randomElement(using: &random) {
                    lines[line][offset] = character
                }
            case 1: lines[line].insert(character, at: Int.random(in: 0...lines[line].count, using: &random))
            case 2: if !lines[line].isEmpty { lines[line].remove(at: lines[line].count / 2) }
            case 3: lines.remove(at: line)
            case 4: lines.insert(lines[line], at: line)
            case 5: lines.insert([], at: line)
            case 6: lines.swapAt(line, lines.startIndex)
            case 7: lines[line].append(0x0d)
            case 8: lines[line].append([0x20, 0x09, 0x0b, 0x0c].randomElement(using: &random) ?? 0x20)
            case 9: lines.insert(Array("Comment: \(character)".utf8), at: min(1, lines.count))
            case 10: lines.insert(Array("text \(character)".utf8), at: 0)
            case 11: lines += lines
            default: lines = lines.filter { $0.first != UInt8(ascii: "=") }
            }
        }
        return Array(lines.joined(separator: [0x0a]))
    }
}
