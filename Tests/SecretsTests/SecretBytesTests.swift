import Glibc
import Testing

@testable import PDSecrets

@Suite struct SecretBytesTests {
    private static let marker = [UInt8]("SAFFRON-WALDEN-MARKER".utf8)
    private struct Broken: Error {}

    /// 1 to 21 fit a place of 64 bytes; a page is 4,096; beyond the limit of what is kept, pages go back to the system.
    private static let sizes = [21, 64, 65, 2_048, 4_095, 4_096, 4_097, 40_000, 3_000_000]

    @Test func `a secret holds what was copied in`() {
        #expect(SecretBytes(copying: [1, 2, 3]).revealed == [1, 2, 3])
        #expect(SecretBytes(copying: []).count == 0)
        #expect(SecretBytes(copying: [1, 2, 3].reversed()).revealed == [3, 2, 1], "not stored in one piece")
    }

    /// A copy in an array on the way would not be wiped.
    @Test func `p97_ parts of a secret are copied without an array between`() {
        let secret = SecretBytes(copying: [1, 2, 3, 4])
        secret.withUnsafeBytes { bytes in
            #expect(bytes.withContiguousStorageIfAvailable { $0.count } == 4)
            #expect(bytes[1...].withContiguousStorageIfAvailable { $0.count } == 3)
            #expect(bytes.dropLast().withContiguousStorageIfAvailable { $0.count } == 3)
            #expect(SecretBytes(copying: bytes.dropLast()).revealed == [1, 2, 3])
        }
    }

    @Test(arguments: sizes)
    func `a fresh secret is zero, also where another one was before`(count: Int) {
        for _ in 0..<3 {
            var secret = SecretBytes(count: count)
            #expect(secret.count == count)
            #expect(secret.withUnsafeBytes { $0.allSatisfy { $0 == 0 } })
            secret.withUnsafeMutableBytes { for index in $0.indices { $0[index] = 0xA5 } }
        }
    }

    @Test(arguments: sizes)
    func `secrets do not overlap`(count: Int) {
        var secrets = (0..<5).map { _ in SecretBytes(count: count) }
        for place in secrets.indices {
            secrets[place].withUnsafeMutableBytes { for index in $0.indices { $0[index] = UInt8(place) } }
        }
        for (value, secret) in secrets.enumerated() {
            #expect(secret.withUnsafeBytes { $0.allSatisfy { $0 == UInt8(value) } })
        }
    }

    @Test func `changing one of two values that share their bytes leaves the other as it was`() {
        var first = SecretBytes(copying: [1, 2, 3])
        let second = first
        first.withUnsafeMutableBytes { $0[0] = 9 }
        #expect(first.revealed == [9, 2, 3])
        #expect(second.revealed == [1, 2, 3])
    }

    @Test func `secrets are equal when their bytes are`() {
        let secret = SecretBytes(copying: Self.marker)
        #expect(secret == SecretBytes(copying: Self.marker))
        #expect(secret != SecretBytes(copying: Self.marker.dropLast()))
        for index in Self.marker.indices {
            var other = Self.marker
            other[index] ^= 0x80
            #expect(secret != SecretBytes(copying: other))
        }
    }

    @Test func `p97_ printing, interpolating, dumping and reflecting a secret show its length alone`() {
        struct Key { var secret: SecretBytes }
        let secret = SecretBytes(copying: Self.marker)
        let key = Key(secret: secret)
        var dumps = ["", "", ""]
        dump(secret, to: &dumps[0])
        dump([secret], to: &dumps[1])
        dump(key, to: &dumps[2])
        let texts = [
            "\(secret)", String(reflecting: secret), String(describing: Optional(secret)), "\([secret])",
            "\(key)", String(describing: Mirror(reflecting: secret).children.map { "\($0)" }),
        ]
        #expect(texts[0] == "SecretBytes(21 bytes)")
        for text in texts + dumps {
            #expect(!text.contains("SAFFRON"))
            #expect(!text.contains("83, 65, 70"), "S, A, F as numbers")
            #expect(!text.contains("- 83"), "one element per line")
            #expect(!text.lowercased().contains("0x"), "the address")
        }
    }

    @Test func `p97_ a secret is no collection of bytes`() {
        let secret: Any = SecretBytes(copying: Self.marker)
        #expect(!(secret is any Sequence))
        #expect(!(secret is any Encodable))
    }

    /// How often the marker still stands at an address, which may be mapped no longer. Other tests may reuse the place at
    /// any moment, so what is looked for is the marker, not zeros.
    private func occurrences(at address: UInt, count: Int) -> Int {
        let memory = open("/proc/self/mem", O_RDONLY)
        defer { close(memory) }
        var copy = [UInt8](repeating: 0, count: count)
        return copy.withUnsafeMutableBytes { buffer in
            guard memory >= 0, pread(memory, buffer.baseAddress, count, off_t(address)) > 0 else { return 0 }
            return stride(from: 0, through: count - Self.marker.count, by: Self.marker.count)
                .count { buffer[$0..<$0 + Self.marker.count].elementsEqual(Self.marker) }
        }
    }

    private func write(into buffer: UnsafeMutableRawBufferPointer) -> UInt {
        for index in buffer.indices { buffer[index] = Self.marker[index % Self.marker.count] }
        return UInt(bitPattern: buffer.baseAddress)
    }

    @Test(arguments: sizes)
    func `p98_ the bytes are gone after the last reference, with optimisation as without`(count: Int) {
        var address: UInt = 0
        var secret: SecretBytes? = SecretBytes(count: count) { address = write(into: $0) }
        var other = secret
        secret = nil
        #expect(occurrences(at: address, count: count) == count / Self.marker.count, "it is there")
        #expect(other != nil)
        other = nil
        #expect(occurrences(at: address, count: count) == 0)
    }

    @Test(arguments: sizes)
    func `p98_ the bytes are gone when making the secret fails half way`(count: Int) {
        var address: UInt = 0
        #expect(throws: Broken.self) {
            try SecretBytes(count: count) { buffer in
                address = write(into: buffer)
                throw Broken()
            }
        }
        #expect(address != 0)
        #expect(occurrences(at: address, count: count) == 0)
    }

    @Test func `p98_ wiping a buffer leaves zeros`() {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4_099, alignment: 16)
        defer { buffer.deallocate() }
        buffer.copyBytes(from: repeatElement(0xA7, count: 4_099))
        buffer.wipe()
        #expect(buffer.allSatisfy { $0 == 0 })
        UnsafeMutableRawBufferPointer(start: nil, count: 0).wipe()
        var array = Self.marker
        array.wipe()
        #expect(array == [UInt8](repeating: 0, count: Self.marker.count))
    }

    /// AddressSanitizer answers mlock() itself, and locks nothing.
    private static var locksAreReal: Bool { dlsym(nil, "__asan_init") == nil }

    @Test(.enabled(if: locksAreReal), arguments: sizes)
    func `p99_ a secret is kept out of core dumps, and says truly whether it is locked`(count: Int) throws {
        // The last of several: short ones lie side by side.
        let secret = (0..<6).map { _ in SecretBytes(count: count) }[5]
        let flags = try kernelFlags(secret.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) })
        #expect(secret.isLocked == flags.contains("lo"))
        #expect(flags.contains("dd"))
        #expect(secret.isLocked || SecretBytes.lockWasRefused)
    }

    /// The flags in /proc/self/smaps of the mapping that holds `address`.
    private func kernelFlags(_ address: UInt) throws -> [Substring] {
        let file = try #require(fopen("/proc/self/smaps", "r"))
        defer { fclose(file) }
        var (buffer, isHere) = ([CChar](repeating: 0, count: 8_192), false)
        while fgets(&buffer, Int32(buffer.count), file) != nil {
            let line = String(decoding: buffer.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
            let range = line.prefix { $0 != " " }.split(separator: "-")
            if range.count == 2, let low = UInt(range[0], radix: 16), let high = UInt(range[1], radix: 16) {
                isHere = (low..<high).contains(address)
            } else if isHere, line.hasPrefix("VmFlags:") {
                return line.split(whereSeparator: \.isWhitespace)
            }
        }
        Issue.record("no mapping holds the address")
        return []
    }
}

extension SecretBytes {
    /// The bytes, for tests alone.
    var revealed: [UInt8] { withUnsafeBytes { Array($0) } }
}
