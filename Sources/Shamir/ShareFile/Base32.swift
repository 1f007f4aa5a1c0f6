import PDSecrets

extension BaseN {
    /// Crockford's base 32: no I, L, O and U (https://www.crockford.com/base32.html).
    static let base32 = BaseN(bits: 5, "0123456789", "ABCDEFGH", "JK", "MN", "PQRST", "VWXYZ")

    /// The character of base 32 that a person means: upper case, 0 for O, 1 for I and L. What stands for nothing stays.
    @inline(__always)
    static func folded(_ character: UInt8) -> UInt8 {
        var upper = character &- (0x20 & isBelow(character &- 0x61, 26))
        upper ^= (upper ^ 0x30) & isBelow(upper &- 0x4f, 1)
        upper ^= (upper ^ 0x31) & (isBelow(upper &- 0x49, 1) | isBelow(upper &- 0x4c, 1))
        return upper
    }
}
