import PDSecrets
import Testing

@testable import PDShamir

@Suite("Sealed files")
struct SealedFileTests {
    private let key = SecretBytes(copying: [UInt8](repeating: 3, count: 32))
    private let set = [UInt8](repeating: 4, count: 10)

    private func file(key: SecretBytes? = nil, set: [UInt8]? = nil) -> SealedFile<TestCryptography> {
        SealedFile(key: key ?? self.key, set: set ?? self.set, cryptography: TestCryptography())
    }

    private func seal(_ chunks: [(bytes: Int, last: Bool)]) throws -> [[UInt8]] {
        var sealer = file()
        return try chunks.enumerated().map { index, chunk in
            let plain = [UInt8](repeating: UInt8(index), count: chunk.bytes)
            var sealed = SecretBytes(count: chunk.bytes + 16)
            try plain.withUnsafeBytes { plain in
                try sealed.withUnsafeMutableBytes { try sealer.seal(plain, last: chunk.last, into: $0) }
            }
            return sealed.array
        }
    }

    private func open(_ chunks: [[UInt8]], with opener: SealedFile<TestCryptography>) throws -> [UInt8] {
        var opener = opener
        var result: [UInt8] = []
        for (index, chunk) in chunks.enumerated() {
            var plain = SecretBytes(count: max(0, chunk.count - 16))
            defer { result += plain.array }
            try chunk.withUnsafeBytes { chunk in
                try plain.withUnsafeMutableBytes {
                    try opener.open(chunk, last: index == chunks.count - 1, into: $0)
                }
            }
        }
        return result
    }

    private let whole = SealedFormat.chunkBytes

    @Test(arguments: [1, 65_535, 65_536])
    func chunksRoundTrip(last: Int) throws {
        let chunks = try seal([(whole, false), (whole, false), (last, true)])
        let plain = try open(chunks, with: file())
        #expect(plain.count == 2 * whole + last)
        #expect(plain.last == 2)
    }

    @Test func changedMovedRepeatedAndMissingChunksAreRefused() throws {
        let chunks = try seal([(whole, false), (whole, false), (100, true)])
        var flipped = chunks
        flipped[1][5] ^= 1
        var tag = chunks
        tag[2][110] ^= 1
        let spoiled = [
            flipped, tag, [chunks[1], chunks[0], chunks[2]], [chunks[0], chunks[0], chunks[2]],
            [chunks[0], chunks[1]], [chunks[0], chunks[2]], chunks + [chunks[2]], [chunks[2]],
            [chunks[0], chunks[1], Array(chunks[2].dropLast())],
            [chunks[0], chunks[1], [UInt8](repeating: 0, count: 16)],
            [chunks[0], chunks[1], []],
        ]
        for chunks in spoiled {
            #expect(throws: ShareFileError.sealedFileDamaged) { _ = try open(chunks, with: file()) }
        }
    }

    @Test func anotherKeyAndAnotherSetAreRefused() throws {
        let chunks = try seal([(10, true)])
        #expect(throws: ShareFileError.sealedFileDamaged) {
            _ = try open(chunks, with: file(key: SecretBytes(count: 32)))
        }
        #expect(throws: ShareFileError.sealedFileDamaged) {
            _ = try open(chunks, with: file(set: [UInt8](repeating: 5, count: 10)))
        }
    }

    @Test func shortChunksInTheMiddleAndEmptyOnesCannotBeSealed() {
        #expect(throws: ShareFileError.sealedFileDamaged) { _ = try seal([(10, false)]) }
        #expect(throws: ShareFileError.sealedFileDamaged) { _ = try seal([(0, true)]) }
        #expect(throws: ShareFileError.sealedFileDamaged) { _ = try seal([(10, true), (10, true)]) }
    }

    @Test func theHeaderNamesTheSet() {
        #expect(SealedFormat.set(fromHeader: file().header) == set)
        #expect(SealedFormat.set(fromHeader: file().header.dropLast()) == nil)
        #expect(SealedFormat.set(fromHeader: [UInt8](repeating: 0, count: 31)) == nil)
    }
}
