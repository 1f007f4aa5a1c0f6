import Foundation
import Glibc
import Testing

@testable import PDCrypto

@Suite struct RandomSourceTests {
    /// Every source of the module.
    static func sources() throws -> [any RandomSource] {
        [SecureRandom(.nonce), SecureRandom(.sessionKey), SecureRandom(.longTermKey), try KeystreamRandom()]
    }

    @Test func `each source fills exactly what it is given`() throws {
        for source in try Self.sources() {
            for count in [0, 1, 31, 32, 33, 1_000] {
                var buffer = [UInt8](repeating: 0, count: count + 2)
                try buffer.withUnsafeMutableBytes { try source.fill(.init(rebasing: $0[1..<count + 1])) }
                #expect(buffer.first == 0 && buffer.last == 0)
                #expect(count < 31 || buffer.contains { $0 != 0 })
                #expect(try source.bytes(count: count).count == count)
            }
        }
    }

    @Test func `no two draws are the same`() throws {
        for source in try Self.sources() {
            let draws = try (0..<50).map { _ in try source.bytes(count: 16) }
            #expect(Set(draws).count == draws.count)
        }
    }

    /// Chi-square over the 256 byte values. With 255 degrees of freedom, 400 is passed once in 10^8 runs.
    @Test func `all byte values are equally frequent`() throws {
        for source in try Self.sources() {
            let count = 65_536
            var frequencies = [Int](repeating: 0, count: 256)
            for byte in try source.bytes(count: count) { frequencies[Int(byte)] += 1 }
            let expected = Double(count) / 256
            let chiSquare = frequencies.reduce(0.0) { $0 + pow(Double($1) - expected, 2) / expected }
            #expect(chiSquare < 400)
        }
    }

    @Test func `the keystream is that of AES-256-CTR, and rekeys itself after each draw`() throws {
        let seed = FixedRandom(pattern: [7])
        let source = try KeystreamRandom(seed: seed)
        let first = try source.bytes(count: 100)
        let second = try source.bytes(count: 100)
        func keystream(_ key: [UInt8], _ count: Int) throws -> [UInt8] {
            try OpenSSL.run(
                [
                    "enc", "-aes-256-ctr", "-K", OpenSSL.hex(key), "-iv",
                    OpenSSL.hex([UInt8](repeating: 0, count: 16)),
                ],
                input: [UInt8](repeating: 0, count: count)
            ).output
        }
        let expected = try keystream([UInt8](repeating: 7, count: 32), 132)
        #expect(first == Array(expected[..<100]))
        #expect(try second == keystream(Array(expected[100...]), 100))
    }

    @Test func `a draw of many megabytes has no repetition`() throws {
        let bytes = try KeystreamRandom().bytes(count: 3 << 20)
        var seen: Set<ArraySlice<UInt8>> = []
        for start in stride(from: 0, to: bytes.count, by: 4_096) { seen.insert(bytes[start..<start + 16]) }
        #expect(seen.count == bytes.count / 4_096)
    }

    @Test func `a seed that fails makes no generator`() throws {
        #expect(throws: BrokenRandom.exhausted) { try KeystreamRandom(seed: BrokenRandom()) }
    }

    @Test func `many threads may draw from one keystream`() async throws {
        let source = try KeystreamRandom()
        try await withThrowingTaskGroup(of: [UInt8].self) { group in
            for _ in 0..<50 { group.addTask { try source.bytes(count: 64) } }
            var seen: Set<[UInt8]> = []
            for try await bytes in group { seen.insert(bytes) }
            #expect(seen.count == 50)
        }
    }
}
