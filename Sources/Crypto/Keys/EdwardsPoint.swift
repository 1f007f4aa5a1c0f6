import CGcrypt
import PDSecrets

/// What must be known of an Ed25519 public key or signature before libgcrypt may see it.
enum EdwardsPoint {
    /// The points of order 8 (RFC 8032 section 5.1.2 encodes them). The other five points of low order have a
    /// coordinate that is 0, 1 or −1, and are caught by their length.
    private static let orderEight = [
        "26E8958FC2B227B045C3F489F2EF98F0D5DFAC05D3C63339B13802886D53FC05",
        "26E8958FC2B227B045C3F489F2EF98F0D5DFAC05D3C63339B13802886D53FC85",
        "C7176A703D4DD84FBA3C0B760D10670F2A2053FA2C39CCC64EC7FD7792AC037A",
        "C7176A703D4DD84FBA3C0B760D10670F2A2053FA2C39CCC64EC7FD7792AC03FA",
    ]

    /// Whether `encoded` is the canonical encoding of a point that a signature may be verified with.
    ///
    /// libgcrypt 1.10 ends the process (`mulm_25519: different sizes`) when it verifies with a point one of
    /// whose coordinates leaves the topmost machine word empty. Of honest keys, one in 2^62 is so; but anyone
    /// can make such a key on purpose, and stop every program that looks at it.
    static func isUsableAsKey(_ encoded: [UInt8]) throws(CryptoError) -> Bool {
        guard encoded.count == 32, isCanonical(encoded),
            !orderEight.contains(BaseN.upperHexadecimal.text(encoded))
        else {
            return false
        }
        try Libgcrypt.ready()
        var context: OpaquePointer?
        try CryptoError.check(gcry_mpi_ec_new(&context, nil, "Ed25519"))
        defer { gcry_ctx_release(context) }
        let point = gcry_mpi_point_new(0)
        defer { gcry_mpi_point_release(point) }
        let value = encoded.withUnsafeBytes {
            gcry_mpi_set_opaque_copy(nil, $0.baseAddress, UInt32($0.count) * 8)
        }
        defer { gcry_mpi_release(value) }
        guard gcry_mpi_ec_decode_point(point, value, context) == 0 else { return false }
        let (x, y) = (gcry_mpi_new(0), gcry_mpi_new(0))
        defer {
            gcry_mpi_release(x)
            gcry_mpi_release(y)
        }
        // Not the affine coordinates: computing them is where it may end. A decoded point has z = 1.
        gcry_mpi_point_get(x, y, nil, point)
        let longest = UInt32(256 - UInt.bitWidth)
        guard gcry_mpi_get_nbits(x) > longest, gcry_mpi_get_nbits(y) > longest else { return false }
        return gcry_mpi_ec_curve_point(point, context) != 0
    }

    /// Whether y is below the prime 2^255 − 19 (RFC 8032 section 5.1.3, step 1). When it decodes, libgcrypt does
    /// not look.
    private static func isCanonical(_ encoded: [UInt8]) -> Bool {
        var y = encoded
        y[31] &= 0x7F
        return y[31] != 0x7F || y[0] < 0xED || y[1..<31].contains { $0 != 0xFF }
    }

    /// L = 2^252 + 27742317777372353535851937790883648493, little-endian (RFC 8032 section 5.1).
    private static let groupOrder: [UInt8] = [
        0xED, 0xD3, 0xF5, 0x5C, 0x1A, 0x63, 0x12, 0x58, 0xD6, 0x9C, 0xF7, 0xA2, 0xDE, 0xF9, 0xDE, 0x14,
        0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
    ]

    /// Whether S, the second half of a signature, is below L (RFC 8032 section 5.1.7). Any other S would spell a
    /// signature a second time.
    static func isBelowGroupOrder(_ scalar: some BidirectionalCollection<UInt8>) -> Bool {
        scalar.reversed().lexicographicallyPrecedes(groupOrder.reversed())
    }
}
