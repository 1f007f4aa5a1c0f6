import Testing

@testable import PDShamir

@Suite("The field GF(2⁸)")
struct FieldTests {
    /// Multiplication as it is taught: carry-less product of 15 bits, then division by 0x11d.
    private func slowProduct(_ a: UInt8, _ b: UInt8) -> UInt8 {
        var product: UInt32 = 0
        for bit in 0..<8 where b >> bit & 1 == 1 { product ^= UInt32(a) << UInt32(bit) }
        for bit in (8..<15).reversed() where product >> UInt32(bit) & 1 == 1 {
            product ^= 0x11d << UInt32(bit - 8)
        }
        return UInt8(product)
    }

    @Test func p19_everyProductEqualsLongDivisionByThePolynomial() {
        for a in UInt8.min...UInt8.max {
            for b in UInt8.min...UInt8.max where GF256.multiply(a, b) != slowProduct(a, b) {
                Issue.record("\(a) · \(b)")
            }
        }
    }

    @Test func p19_thePolynomialIsTheOneOfLibgfshare() {
        #expect(GF256.multiply(2, 0x80) == 0x1d, "0x11b would give 0x1b")
    }

    @Test func p19_theTablesOfLibgfshareComeOutOfThisField() {
        // libgfshare builds its tables from powers of x: exps[0] = 1, exps[i + 1] = exps[i] · x.
        var power: UInt8 = 1
        var exponents: [UInt8] = []
        var logarithms = [Int](repeating: 0, count: 256)
        for exponent in 0..<255 {
            exponents.append(power)
            logarithms[Int(power)] = exponent
            power = GF256.multiply(power, 2)
        }
        #expect(power == 1, "x generates all 255 elements but zero")
        #expect(Set(exponents).count == 255)
        for a in UInt8(1)...255 {
            for b in UInt8(1)...255 {
                let expected = exponents[(logarithms[Int(a)] + logarithms[Int(b)]) % 255]
                if GF256.multiply(a, b) != expected { Issue.record("\(a) · \(b)") }
            }
        }
    }

    @Test func p19_everyElementButZeroHasAnInverse() {
        for a in UInt8(1)...255 { #expect(GF256.multiply(a, GF256.inverse(a)) == 1) }
        #expect(GF256.inverse(0) == 0)
    }

    @Test func p19_multiplicationIsCommutativeAssociativeAndDistributive() {
        // With these 16 values as a basis of comparison every bit position meets every other; all 2²⁴ triples take
        // minutes without optimisation, and bilinearity over the powers of x implies them.
        let powers = (0..<8).map { UInt8(1) << $0 } + [0, 3, 0x1d, 0x53, 0x8e, 0xca, 0xfe, 0xff]
        for a in UInt8.min...UInt8.max {
            for b in powers {
                if GF256.multiply(a, b) != GF256.multiply(b, a) { Issue.record("commutative \(a) \(b)") }
                for c in powers {
                    let left = GF256.multiply(GF256.multiply(a, b), c)
                    if left != GF256.multiply(a, GF256.multiply(b, c)) {
                        Issue.record("associative \(a) \(b) \(c)")
                    }
                    let sum = GF256.multiply(a, b ^ c)
                    if sum != GF256.multiply(a, b) ^ GF256.multiply(a, c) {
                        Issue.record("distributive \(a) \(b) \(c)")
                    }
                }
            }
        }
    }

    @Test(arguments: [[1, 2], [5, 1, 200], [255, 254, 1, 2, 77]] as [[UInt8]])
    func p19_interpolationWeightsReproduceEveryPolynomialOfLowDegree(points: [UInt8]) {
        func power(_ base: UInt8, _ exponent: Int) -> UInt8 {
            (0..<exponent).reduce(UInt8(1)) { product, _ in GF256.multiply(product, base) }
        }
        for x in [0, 3, 130, points[0]] {
            let weights = Points.weights(of: points, at: x)
            for degree in 0..<points.count {
                var sum: UInt8 = 0
                for (point, weight) in zip(points, weights) {
                    sum ^= GF256.multiply(weight, power(point, degree))
                }
                #expect(sum == power(x, degree))
            }
        }
    }
}
