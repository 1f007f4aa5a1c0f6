import Testing

@testable import PDCrypto

@Suite struct ConstantTimeTests {
    @Test(arguments: [0, 1, 15, 16, 17, 32, 64, 257])
    func `p101_ a difference in any bit of any byte is found`(count: Int) {
        var random = TestRandom(state: UInt64(count))
        let bytes = random.bytes(count)
        #expect(ConstantTime.isEqual(bytes, Array(bytes)))
        for index in bytes.indices {
            for bit in UInt8(0)..<8 { #expect(!ConstantTime.isEqual(bytes, bytes.flipping(index, bit: bit))) }
        }
    }

    @Test func `p101_ two differences do not cancel each other`() {
        #expect(!ConstantTime.isEqual([1, 1], [0, 0]))
        #expect(!ConstantTime.isEqual([0xFF, 0x00], [0x00, 0xFF]))
    }

    @Test func `p101_ a prefix is not equal to the whole`() {
        #expect(!ConstantTime.isEqual([1, 2, 3], [1, 2]))
        #expect(!ConstantTime.isEqual([], [0]))
    }

    @Test func `zeros are seen, and any one bit that is none`() {
        func isZero(_ bytes: [UInt8]) -> Bool { bytes.withUnsafeBytes { ConstantTime.isZero($0) } }
        let zeros = [UInt8](repeating: 0, count: 32)
        #expect(isZero(zeros))
        for index in zeros.indices { #expect(!isZero(zeros.flipping(index, bit: UInt8(index % 8)))) }
    }
}
