import PDSecrets
import Testing

@testable import PDShamir

@Suite struct Base32Tests {
    @Test func `what people type in base 32 is folded, and nothing else is`() {
        for character in UInt8.min...UInt8.max {
            let upper = (0x61...0x7a).contains(character) ? character - 0x20 : character
            let expected: UInt8 =
                switch upper {
                case UInt8(ascii: "O"): UInt8(ascii: "0")
                case UInt8(ascii: "I"), UInt8(ascii: "L"): UInt8(ascii: "1")
                default: upper
                }
            #expect(BaseN.folded(character) == expected, "\(character)")
        }
    }
}
