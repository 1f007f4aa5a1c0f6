import Glibc
import PDLegacy
import Testing

@testable import PDCrypto
@testable import PDSecrets

/// What operations with a secret leave behind in ordinary memory, which nobody wipes. All of the process's writable
/// memory is searched, except where secrets belong.
@Suite(.serialized) struct LeftoversTests {
    /// 32 bytes that occur nowhere else, written into secret memory alone.
    private static func secret(_ seed: UInt8) -> SecretBytes {
        SecretBytes(count: 32) { buffer in
            for index in buffer.indices {
                buffer[index] = UInt8(truncatingIfNeeded: index &* 151 &+ 89) ^ seed
            }
        }
    }

    /// How often 16 bytes from the middle of the secret lie in ordinary memory.
    private func leftovers(of secret: SecretBytes) throws -> Int {
        let memory = open("/proc/self/mem", O_RDONLY)
        try #require(memory >= 0)
        defer { close(memory) }
        let maps = try #require(fopen("/proc/self/maps", "r"))
        defer { fclose(maps) }
        var ranges: [Range<UInt>] = []
        var line = [CChar](repeating: 0, count: 1024)
        while fgets(&line, 1024, maps) != nil {
            let text = String(decoding: line.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let fields = text.split(separator: " ")
            guard fields.count > 1, fields[1].hasPrefix("rw") else { continue }
            let ends = fields[0].split(separator: "-").compactMap { UInt($0, radix: 16) }
            let start = try #require(UnsafeRawPointer(bitPattern: ends[0]))
            // The terabytes that AddressSanitizer keeps about addresses hold nothing of what lies there.
            if !LockedMemory.contains(start), ends[1] - ends[0] < 1 << 36 { ranges.append(ends[0]..<ends[1]) }
        }
        // What is read is copied to secret memory: the search must not find itself.
        let window = 1 << 20
        var copy = SecretBytes(count: window)
        var found = 0
        for range in ranges {
            var address = range.lowerBound
            while address < range.upperBound {
                let count = min(window, Int(range.upperBound - address))
                found += copy.withUnsafeMutableBytes { buffer in
                    let read = pread(memory, buffer.baseAddress, count, off_t(address))
                    guard read > 16 else { return 0 }
                    return secret.withUnsafeBytes { occurrences(of: $0[8..<24], in: buffer, count: read) }
                }
                address += UInt(count) > 16 && count == window ? UInt(count - 16) : UInt(count)
            }
        }
        return found
    }

    private func occurrences(
        of needle: Slice<UnsafeRawBufferPointer>, in buffer: UnsafeMutableRawBufferPointer, count: Int
    ) -> Int {
        guard let start = buffer.baseAddress, let first = needle.first else { return 0 }
        var (found, offset) = (0, 0)
        while offset + needle.count <= count, let hit = memchr(start + offset, Int32(first), count - offset) {
            let place = hit - start
            if place + needle.count <= count, buffer[place..<place + needle.count].elementsEqual(needle) {
                found += 1
            }
            offset = place + 1
        }
        return found
    }

    @Test func `the search finds what was not wiped`() throws {
        let secret = Self.secret(1)
        let leak = UnsafeMutableRawBufferPointer.allocate(byteCount: 32, alignment: 16)
        defer { leak.deallocate() }
        secret.withUnsafeBytes { leak.copyMemory(from: $0) }
        #expect(try leftovers(of: secret) > 0)
        leak.wipe()
        #expect(try leftovers(of: secret) == 0)
    }

    @Test func `p134_ signing leaves no copy of an Ed25519 seed`() throws {
        let secret = Self.secret(2)
        let key = try Curve25519.Signing.PrivateKey(rawRepresentation: secret)
        for _ in 0..<3 { _ = try key.signature(for: [1, 2, 3]) }
        #expect(try leftovers(of: secret) == 0)
    }

    @Test func `p134_ an agreement, a code, a cipher and derived keys leave no copy of their secrets`() throws
    {
        let secret = Self.secret(3)
        let peer = try Curve25519.KeyAgreement.PrivateKey(random: SecureRandom(.nonce)).publicKey
        let key = try Curve25519.KeyAgreement.PrivateKey(rawRepresentation: secret)
        let shared = try key.sharedSecretFromKeyAgreement(with: peer).bytes
        _ = try HMAC.authenticationCode(for: [1], using: secret, hash: .sha256)
        _ = try AES.GCM.seal([1, 2, 3], using: secret, authenticating: [], random: SecureRandom(.nonce))
        let derived = [
            try HKDF.deriveKey(inputKeyMaterial: secret, info: [1], outputByteCount: 32),
            try PBKDF2.deriveKey(password: secret, salt: [1, 2], rounds: 10),
            try Argon2id.deriveKey(
                password: secret, salt: [UInt8](0..<8), memory: 64, passes: 1, lanes: 1, secret: secret),
        ]
        for kept in [secret, shared] + derived { #expect(try leftovers(of: kept) == 0) }
    }

    /// Gives the bytes of a secret.
    private struct Given: RandomSource {
        let secret: SecretBytes

        func fill(_ buffer: UnsafeMutableRawBufferPointer) {
            secret.withUnsafeBytes { buffer.copyMemory(from: $0) }
        }
    }

    @Test
    func `p134_ an OpenPGP key is made, armored, read and used without a copy of it, binary or in base 64`()
        throws
    {
        let secret = Self.secret(4)
        var key = try OpenPGP.SecretKey.generate(
            userID: "x", at: ForgedKey.born, validity: nil, random: Given(secret: secret))
        // The second line of base 64 is of the bytes 48 to 95 of the packet, in which the secret number begins at 57.
        let text = key.armored().withUnsafeBytes { armor in
            let lines = armor.split(separator: 0x0a, omittingEmptySubsequences: false)
            return SecretBytes(copying: lines[3].dropFirst(16).prefix(32))
        }
        key = try OpenPGP.SecretKey(key.armored())
        _ = try key.detachedSignature(of: [1, 2, 3], for: .file, at: ForgedKey.now)
        #expect(try leftovers(of: secret) == 0)
        #expect(try leftovers(of: text) == 0)
        // Also where it turns out to be damaged: in the public point, after which nothing fits.
        var damaged = key.armored()
        damaged.withUnsafeMutableBytes { armor in
            let body = armor.indices.first { armor[$0] == 0x0a && armor[$0 + 1] == 0x0a }
            if let body { armor[body + 2 + 40] ^= 1 }
        }
        #expect(throws: OpenPGP.Error.self) { try OpenPGP.SecretKey(damaged) }
        #expect(try leftovers(of: secret) == 0)
        #expect(try leftovers(of: text) == 0)
    }
}
