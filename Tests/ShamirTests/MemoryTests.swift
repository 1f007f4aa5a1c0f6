import Glibc
import PDSecrets
import Testing

@testable import PDShamir

@Suite("What stays in memory", .serialized)
struct MemoryTests {
    /// Sixteen bytes that occur nowhere else, kept in a form that is not them.
    private struct Marker {
        private let masked: [UInt8]
        init(_ seed: UInt64) {
            let generator = CountingRandomness(seed: seed)
            masked = (0..<16).map { _ in generator.nextByte() ^ 0x5a }
        }

        /// Sixteen letters of base 32, as in a numbered line.
        init(letters seed: UInt64) {
            let generator = CountingRandomness(seed: seed)
            masked = (0..<16).map { _ in (0x41 + generator.nextByte() % 8) ^ 0x5a }
        }

        func write(into buffer: UnsafeMutableRawBufferPointer) {
            for index in buffer.indices { buffer[index] = masked[index % 16] ^ 0x5a }
        }

        /// How often 16 neighbouring bytes of the writable memory of this process are the marker, in any rotation.
        func occurrences() throws -> Int {
            let memory = open("/proc/self/mem", O_RDONLY)
            try #require(memory >= 0)
            defer { close(memory) }
            let maps = try #require(fopen("/proc/self/maps", "r"))
            defer { fclose(maps) }
            var ranges: [(UInt64, UInt64)] = []
            var line = [CChar](repeating: 0, count: 1024)
            while fgets(&line, 1024, maps) != nil {
                let text = String(
                    decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                let fields = text.split(separator: " ")
                guard fields.count > 1, fields[1].hasPrefix("rw") else { continue }
                let ends = fields[0].split(separator: "-").compactMap { UInt64($0, radix: 16) }
                // The terabytes that AddressSanitizer keeps about addresses hold nothing of what lies there.
                if ends[1] - ends[0] < 1 << 36 { ranges.append((ends[0], ends[1])) }
            }
            let page = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 4096)
            defer { page.deallocate() }
            var found = 0
            for (start, end) in ranges {
                for address in stride(from: start, to: end, by: 4096)
                where address != UInt64(UInt(bitPattern: page.baseAddress)) {
                    guard pread(memory, page.baseAddress, 4096, off_t(address)) == 4096 else { continue }
                    if contains(page) { found += 1 }
                }
            }
            page.wipe()
            return found
        }

        private func contains(_ page: UnsafeMutableRawBufferPointer) -> Bool {
            // The marker repeats, so a run of it contains its first byte within any 16 bytes. memchr is fast without
            // optimisation too.
            guard let start = page.baseAddress else { return false }
            let first = Int32(masked[0] ^ 0x5a)
            var offset = 0
            while offset + 16 <= page.count, let found = memchr(start + offset, first, page.count - offset) {
                let hit = found - start
                if hit + 16 <= page.count, (1..<16).allSatisfy({ page[hit + $0] == masked[$0] ^ 0x5a }) {
                    return true
                }
                offset = hit + 1
            }
            return false
        }
    }

    private final class MarkingRandomness: ShareRandomness {
        struct Exhausted: Error {}
        let marker: Marker
        var calls: Int

        init(marker: Marker, calls: Int) {
            self.marker = marker
            self.calls = calls
        }

        func fill(_ buffer: UnsafeMutableRawBufferPointer) throws(Exhausted) {
            guard calls > 0 else { throw Exhausted() }
            calls -= 1
            marker.write(into: buffer)
        }
    }

    @Test func theScanFindsWhatWasNotWiped() throws {
        let marker = Marker(100)
        let leak = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 64)
        marker.write(into: leak)
        #expect(try marker.occurrences() > 0)
        leak.wipe()
        leak.deallocate()
        #expect(try marker.occurrences() == 0)
    }

    @Test(arguments: [true, false])
    func p34_coefficientsAreWipedAfterASplitAndAfterOneThatFails(fails: Bool) throws {
        let marker = Marker(fails ? 101 : 102)
        let splitter = try Splitter(
            threshold: 3, shares: 3, randomness: MarkingRandomness(marker: marker, calls: fails ? 1 : 10))
        let secret = SecretBytes(copying: [UInt8](repeating: 0x41, count: 40_000))
        var shares = (0..<3).map { _ in SecretBytes(count: 40_000) }
        func split() throws {
            try secret.withUnsafeBytes { secret in
                try SecretBytes.withUnsafeMutableBytes(of: &shares) { try splitter.split(secret, into: $0) }
            }
        }
        let exhausted = ShamirError.noRandomness("\(MarkingRandomness.Exhausted())")
        if fails { #expect(throws: exhausted) { try split() } } else { try split() }
        // The splitter still lives: this is not about giving memory back.
        let left = try withExtendedLifetime(splitter) { try marker.occurrences() }
        #expect(left == 0)
    }

    @Test func p34_aCombinedSecretIsWipedWhenItIsLetGo() throws {
        let marker = Marker(103)
        try combineOnce(marker)
        #expect(try marker.occurrences() == 0)
    }

    @inline(never)
    private func combineOnce(_ marker: Marker) throws {
        var secret = SecretBytes(count: 4096)
        secret.withUnsafeMutableBytes { marker.write(into: $0) }
        let shares = try Shamir.split(
            secret, threshold: 2, shares: 2, randomness: CountingRandomness(seed: 13))
        let combined = try Shamir.combine([(1, shares[0]), (2, shares[1])])
        #expect(combined == secret)
        #expect(try marker.occurrences() > 0, "while it is held, it is there")
    }

    /// Which line it was is found out without a copy that is not wiped.
    @Test func p34_aNumberedLineThatLostItsNumberIsWiped() throws {
        let marker = Marker(letters: 106)
        try scanOnce(marker)
        #expect(try marker.occurrences() == 0)
    }

    @inline(never)
    private func scanOnce(_ marker: Marker) throws {
        let share = try Sample().shares[0]
        let end = Array(" #0000000\n\(ShareText.endLine)\n".utf8)
        let start = Array(
            share.text.replacingLine("Label", with: "").replacing("\(ShareText.endLine)\n", with: "").utf8)
        var text = SecretBytes(count: start.count + 40 + end.count)
        text.withUnsafeMutableBytes { text in
            text.copyBytes(from: start)
            let line = start.count..<(start.count + 40)
            marker.write(into: UnsafeMutableRawBufferPointer(rebasing: text[line]))
            UnsafeMutableRawBufferPointer(rebasing: text[line.upperBound...]).copyBytes(from: end)
        }
        #expect(try marker.occurrences() > 0, "while it is held, it is there")
        let findings = text.withUnsafeBytes { ShareScanner(known: [share.set]).scan($0) }
        #expect(findings.count == 1)
    }

    @Test(arguments: [true, false])
    func p34_aSecretInNativeSharesIsWipedOnBothWaysOut(damaged: Bool) throws {
        let marker = Marker(damaged ? 104 : 105)
        try shareOnce(marker, damaged: damaged)
        #expect(try marker.occurrences() == 0)
    }

    @inline(never)
    private func shareOnce(_ marker: Marker, damaged: Bool) throws {
        var secret = SecretBytes(count: 4096)
        secret.withUnsafeMutableBytes { marker.write(into: $0) }
        let set = try ShareSet.sample(threshold: 2, shares: 3, content: .direct(bytes: 4096))
        var shares = try set.split(
            secret, randomness: CountingRandomness(seed: 14), cryptography: TestCryptography())
        if damaged { shares[0].body.withUnsafeMutableBytes { $0[4100] ^= 1 } }
        let reread = try shares[..<2].map { share in
            try share.encoded().withUnsafeBytes { try Share(parsing: $0) }
        }
        if damaged {
            #expect(throws: ShareFileError.doNotFit(have: 2, need: 2)) {
                _ = try ShareCombination(reread, cryptography: TestCryptography())
            }
        } else {
            #expect(try ShareCombination(reread, cryptography: TestCryptography()).secret == secret)
        }
    }
}
