/// Share numbers: the points at which a polynomial is known.
enum Points {
    /// Refuses zero, where the secret lies, and repetitions, with which no polynomial can be interpolated.
    static func check(_ points: [UInt8]) throws(ShamirError) {
        var seen = Set<UInt8>()
        for point in points {
            guard point != 0 else { throw .pointZero }
            guard seen.insert(point).inserted else { throw .pointRepeated(point) }
        }
    }

    /// The weights with which the values at `points` add up to the value at `x` (Lagrange interpolation).
    static func weights(of points: [UInt8], at x: UInt8) -> [UInt8] {
        points.map { point in
            var numerator: UInt8 = 1
            var denominator: UInt8 = 1
            for other in points where other != point {
                numerator = GF256.multiply(numerator, other ^ x)
                denominator = GF256.multiply(denominator, other ^ point)
            }
            return GF256.multiply(numerator, GF256.inverse(denominator))
        }
    }
}
