import CGcrypt

extension OpenPGP {
    /// Whether 32 bytes are a point of Ed25519 (RFC 8032, section 5.1.3) that libgcrypt can take.
    ///
    /// libgcrypt 1.10 aborts the whole process when either coordinate of a public key fits in fewer machine words than
    /// the field has, as those of the neutral element do. One honest key in 2^63 is such; a key file made by somebody
    /// else may hold any.
    static func isUsableEd25519Point(_ bytes: ArraySlice<UInt8>) throws(Error) -> Bool {
        do throws(CryptoError) { try Libgcrypt.ready() } catch { throw .library(error) }
        guard bytes.count == 32, let last = bytes.last else { return false }
        var encodedY = Array(bytes.reversed())
        encodedY[0] &= 0x7f
        guard encodedY.lexicographicallyPrecedes(FieldElement.modulus) else { return false }
        let (y, one, d) = try (FieldElement(encodedY), FieldElement([1]), FieldElement(FieldElement.d))
        // x^2 = (y^2 - 1) / (d y^2 + 1), of which (x^2)^((p + 3) / 8), or sqrt(-1) times that, is a root if one is.
        let square = try y.times(y)
        let numerator = try square.minus(one)
        // p is prime, so the power p - 2 inverts.
        let inverse = try square.times(d).plus(one).power(FieldElement.inversion)
        let squareOfX = try numerator.times(inverse)
        var x = try squareOfX.power(FieldElement.root)
        if try x.times(x) != squareOfX { x = try x.times(FieldElement(FieldElement.rootOfMinusOne)) }
        guard try x.times(x) == squareOfX else { return false }
        if x.isOdd != (last & 0x80 != 0) { x = try FieldElement([]).minus(x) }
        return x.bitCount > 192 && y.bitCount > 192
    }

    /// An element of the field of Ed25519, a public one.
    private final class FieldElement: Equatable {
        /// p = 2^255 - 19.
        static let modulus = [0x7f] + [UInt8](repeating: 0xff, count: 30) + [0xed]
        /// p - 2.
        static let inversion = [0x7f] + [UInt8](repeating: 0xff, count: 30) + [0xeb]
        /// (p + 3) / 8.
        static let root = [0x0f] + [UInt8](repeating: 0xff, count: 30) + [0xfe]
        /// -121665/121666, the d of the curve.
        static let d: [UInt8] = [
            0x52, 0x03, 0x6c, 0xee, 0x2b, 0x6f, 0xfe, 0x73, 0x8c, 0xc7, 0x40, 0x79, 0x77, 0x79, 0xe8, 0x98,
            0x00, 0x70, 0x0a, 0x4d, 0x41, 0x41, 0xd8, 0xab, 0x75, 0xeb, 0x4d, 0xca, 0x13, 0x59, 0x78, 0xa3,
        ]
        /// 2^((p - 1) / 4).
        static let rootOfMinusOne: [UInt8] = [
            0x2b, 0x83, 0x24, 0x80, 0x4f, 0xc1, 0xdf, 0x0b, 0x2b, 0x4d, 0x00, 0x99, 0x3d, 0xfb, 0xd7, 0xa7,
            0x2f, 0x43, 0x18, 0x06, 0xad, 0x2f, 0xe4, 0x78, 0xc4, 0xee, 0x1b, 0x27, 0x4a, 0x0e, 0xa0, 0xb0,
        ]

        private let mpi: gcry_mpi_t

        /// The number with these bytes, most significant first.
        init(_ bytes: [UInt8]) throws(Error) {
            var scanned: gcry_mpi_t?
            let code = gcry_mpi_scan(&scanned, GCRYMPI_FMT_USG, bytes, bytes.count, nil)
            guard code == 0, let scanned else { throw .library(.library(code: code)) }
            mpi = scanned
        }

        deinit { gcry_mpi_release(mpi) }

        // Arguments live until a call returns; a handle that is taken out of its object may not, so it never leaves.

        private typealias Operation = (gcry_mpi_t, gcry_mpi_t, gcry_mpi_t, gcry_mpi_t) -> Void

        private func result(_ operation: Operation, _ other: FieldElement) throws(Error) -> FieldElement {
            let (result, p) = try (FieldElement([]), FieldElement(Self.modulus))
            withExtendedLifetime(p) { operation(result.mpi, mpi, other.mpi, p.mpi) }
            return result
        }

        func times(_ other: FieldElement) throws(Error) -> FieldElement { try result(gcry_mpi_mulm, other) }

        func plus(_ other: FieldElement) throws(Error) -> FieldElement { try result(gcry_mpi_addm, other) }

        func minus(_ other: FieldElement) throws(Error) -> FieldElement { try result(gcry_mpi_subm, other) }

        func power(_ exponent: [UInt8]) throws(Error) -> FieldElement {
            try result(gcry_mpi_powm, FieldElement(exponent))
        }

        static func == (left: FieldElement, right: FieldElement) -> Bool {
            gcry_mpi_cmp(left.mpi, right.mpi) == 0
        }

        var isOdd: Bool { gcry_mpi_test_bit(mpi, 0) != 0 }

        var bitCount: UInt32 { gcry_mpi_get_nbits(mpi) }
    }
}
