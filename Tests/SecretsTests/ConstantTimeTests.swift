import Testing

@testable import PDSecrets

/// That the answers are right. That the time tells nothing is checked by `Tests/ConstantTime/run.sh`, under valgrind.
@Suite struct ConstantTimeTests {
    private func flipped(_ bytes: [UInt8], _ index: Int, bit: Int) -> [UInt8] {
        var bytes = bytes
        bytes[index] ^= 1 << UInt8(bit)
        return bytes
    }

    @Test(arguments: [0, 1, 15, 16, 17, 32, 64, 257])
    func `p101_ a difference in any bit of any byte is found`(count: Int) {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ count) }
        #expect(ConstantTime.isEqual(bytes, Array(bytes)))
        #expect(ConstantTime.isEqual(bytes.lazy.map { $0 }, bytes.reversed().reversed()))
        for index in bytes.indices {
            for bit in 0..<8 { #expect(!ConstantTime.isEqual(bytes, flipped(bytes, index, bit: bit))) }
        }
    }

    @Test func `p101_ two differences do not cancel each other`() {
        #expect(!ConstantTime.isEqual([1, 1], [0, 0]))
        #expect(!ConstantTime.isEqual([0xFF, 0x00], [0x00, 0xFF]))
    }

    @Test func `p101_ a prefix is not equal to the whole`() {
        #expect(!ConstantTime.isEqual([1, 2, 3], [1, 2]))
        #expect(!ConstantTime.isEqual([1, 2], [1, 2, 3]))
        #expect(!ConstantTime.isEqual([], [0]))
    }
}
