/// The field GF(2⁸) with the reduction polynomial x⁸ + x⁴ + x³ + x² + 1 (0x11d), the one of libgfshare.
///
/// Every function takes the same time for every operand: no table, no branch on a value. The masks are written as
/// arithmetic because a conditional expression becomes a branch in an unoptimised build.
public enum GF256 {
    /// The reduction polynomial without its leading term.
    static let reduction: UInt8 = 0x1d

    /// The product of `a` and the field's generator, x.
    @inline(__always)
    static func double(_ a: UInt8) -> UInt8 {
        (a &<< 1) ^ (reduction & (0 &- (a &>> 7)))
    }

    /// The product of two elements.
    public static func multiply(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var product: UInt8 = 0
        var shifted = a
        var bits = b
        for _ in 0..<8 {
            product ^= shifted & (0 &- (bits & 1))
            shifted = double(shifted)
            bits &>>= 1
        }
        return product
    }

    /// The multiplicative inverse, a²⁵⁴. Zero has none; its answer is zero.
    public static func inverse(_ a: UInt8) -> UInt8 {
        // 254 = 2 + 4 + 8 + 16 + 32 + 64 + 128: the product of the seven squarings after the first.
        var square = a
        var product: UInt8 = 1
        for _ in 0..<7 {
            square = multiply(square, square)
            product = multiply(product, square)
        }
        return product
    }
}
