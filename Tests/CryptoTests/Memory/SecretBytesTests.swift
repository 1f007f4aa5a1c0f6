import CGcrypt
import Foundation
import Testing

@testable import PDCrypto

@Suite struct SecretBytesTests {
    private static let marker = [UInt8]("SAFFRON-WALDEN-MARKER".utf8)

    @Test func `a secret holds what was copied in`() throws {
        #expect(try SecretBytes(copying: [1, 2, 3]).revealed == [1, 2, 3])
        #expect(try SecretBytes(copying: []).count == 0)
        // A collection that is not stored in one piece.
        #expect(try SecretBytes(copying: [1, 2, 3].reversed()).revealed == [3, 2, 1])
    }

    @Test func `a fresh secret is zero until it is filled`() throws {
        #expect(try SecretBytes(count: 64) { _ in }.revealed == [UInt8](repeating: 0, count: 64))
    }

    @Test func `an impossible length is an error and not a trap`() throws {
        #expect(throws: SecretBytes.Error.negativeCount(-1)) { try SecretBytes(count: -1) { _ in } }
        #expect(throws: SecretBytes.Error.outOfMemory(count: .max)) { try SecretBytes(count: .max) { _ in } }
    }

    @Test func `an error while the secret is made is passed on`() throws {
        #expect(throws: BrokenRandom.Exhausted.self) { try SecretBytes(count: 32, random: BrokenRandom()) }
    }

    @Test func `secrets are equal when their bytes are`() throws {
        let secret = try SecretBytes(copying: Self.marker)
        #expect(try secret == SecretBytes(copying: Self.marker))
        #expect(try secret != SecretBytes(copying: Self.marker.dropLast()))
        for index in Self.marker.indices {
            #expect(try secret != SecretBytes(copying: Self.marker.flipping(index, bit: 7)))
        }
    }

    @Test func `p97_ printing, interpolating, dumping and reflecting a secret show its length alone`() throws
    {
        let secret = try SecretBytes(copying: Self.marker)
        let key = try Curve25519.KeyAgreement.PrivateKey(
            rawRepresentation: SecretBytes(copying: Self.marker + Self.marker.prefix(11)))
        var dumps = ["", "", ""]
        dump(secret, to: &dumps[0])
        dump([secret], to: &dumps[1])
        dump(key.rawRepresentation, to: &dumps[2])
        let texts = [
            "\(secret)", String(reflecting: secret), String(describing: Optional(secret)), "\([secret])",
            "\(key)",
            String(describing: Mirror(reflecting: secret).children.map { "\($0)" }),
        ]
        #expect(texts[0] == "SecretBytes(21 bytes)")
        for text in texts + dumps {
            #expect(!text.contains("SAFFRON"))
            #expect(!text.contains("83, 65, 70"), "S, A, F as numbers")
            #expect(!text.contains("- 83"), "one element per line")
            #expect(!text.lowercased().contains("0x"), "the address")
        }
    }

    @Test func `p97_ a secret is no collection of bytes`() throws {
        let secret: Any = try SecretBytes(copying: Self.marker)
        #expect(!(secret is any Sequence))
        #expect(!(secret is any Encodable))
    }

    /// The pool's pages stay mapped after the release, so reading them is defined. Other tests may reuse the
    /// place at any moment, so what is looked for is the marker, not zeros.
    @Test(arguments: [21, 4_096, SecureMemory.longestPooled])
    func `p98_ the bytes are gone after the last reference, with optimisation as without`(count: Int) throws {
        func occurrences(at address: UnsafeRawPointer) -> Int {
            let memory = UnsafeRawBufferPointer(start: address, count: count)
            return stride(from: 0, through: count - Self.marker.count, by: Self.marker.count)
                .count { offset in memory[offset..<offset + Self.marker.count].elementsEqual(Self.marker) }
        }
        var secret: SecretBytes? = try SecretBytes(count: count) { buffer in
            for index in buffer.indices { buffer[index] = Self.marker[index % Self.marker.count] }
        }
        let address = try #require(secret?.withUnsafeBytes { UnsafeRawPointer($0.baseAddress) } ?? nil)
        #expect(occurrences(at: address) == count / Self.marker.count, "the search finds what is there")
        #expect(secret != nil)
        secret = nil
        #expect(occurrences(at: address) == 0)
    }

    @Test func `p98_ the bytes are gone when making the secret fails half way`() throws {
        var address: UnsafeRawPointer?
        #expect(throws: BrokenRandom.Exhausted.self) {
            try SecretBytes(count: Self.marker.count) { buffer in
                buffer.copyBytes(from: Self.marker)
                address = UnsafeRawPointer(buffer.baseAddress)
                throw BrokenRandom.Exhausted()
            }
        }
        let memory = UnsafeRawBufferPointer(start: address, count: Self.marker.count)
        #expect(address != nil && !memory.elementsEqual(Self.marker))
    }

    @Test func `p98_ wiping a buffer leaves zeros`() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_099, alignment: 16)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: repeatElement(0xA7, count: 4_099))
        buffer.wipe()
        #expect(buffer.allSatisfy { $0 == 0 })
        UnsafeMutableRawBufferPointer(start: nil, count: 0).wipe()
    }

    /// The long ones have pages of their own. Together the short ones overflow libgcrypt's first pool, and it
    /// never locks the pools that it adds.
    @Test(
        .enabled(if: LibgcryptTests.locksAreReal, "AddressSanitizer answers mlock"),
        arguments: [1, 32, 16_384, 16_385, 3_000_000])
    func `p99_ a secret lies in secure memory, and says truly whether it is locked`(count: Int) throws {
        let secrets = try (0..<6).map { _ in try SecretBytes(count: count, random: SecureRandom(.nonce)) }
        let secret = secrets[5]
        let address = try #require(secret.withUnsafeBytes { $0.baseAddress })
        #expect(gcry_is_secure(address) == (count <= SecureMemory.longestPooled ? 1 : 0))
        #expect(try secret.isLocked == kernelSaysLocked(UInt(bitPattern: address)))
    }

    /// Whether the mapping that holds `address` has the flag `lo` in /proc/self/smaps.
    private func kernelSaysLocked(_ address: UInt) throws -> Bool {
        let file = try #require(fopen("/proc/self/smaps", "r"))
        defer { fclose(file) }
        var (buffer, isHere) = ([CChar](repeating: 0, count: 8_192), false)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let range = line.prefix { $0 != " " }.split(separator: "-")
            if range.count == 2, let low = UInt(range[0], radix: 16), let high = UInt(range[1], radix: 16) {
                isHere = (low..<high).contains(address)
            } else if isHere, line.hasPrefix("VmFlags:") {
                return line.split(whereSeparator: \.isWhitespace).contains("lo")
            }
        }
        Issue.record("no mapping holds the address")
        return false
    }

    @Test func `an error code of libgcrypt becomes an error, and none becomes none`() throws {
        try Libgcrypt.check(0)
        #expect(throws: CryptoError.library(code: 45)) { try Libgcrypt.check(45) }
    }

    @Test func `p100_ many threads may be the first to use the library`() async throws {
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<64 {
                group.addTask { try SecretBytes(count: 32, random: SecureRandom(.nonce)).revealed }
            }
            var seen: Set<[UInt8]> = []
            for try await bytes in group { seen.insert(bytes) }
            #expect(seen.count == 64)
        }
    }
}
