/// Decimal numbers as share files write them.
enum Decimal {
    /// nil for anything but digits without a leading zero, and for numbers above 10¹⁵.
    static func parse(_ text: some StringProtocol) -> Int? {
        let digits = text.utf8
        guard 1...15 ~= digits.count, digits.allSatisfy({ 0x30...0x39 ~= $0 }) else { return nil }
        guard digits.count == 1 || digits.first != 0x30 else { return nil }
        return digits.reduce(0) { $0 * 10 + Int($1 - 0x30) }
    }
}
