extension OpenPGP.PublicKey {
    /// About how many microseconds one verification takes, whatever the machine: what a certificate may cost is counted in
    /// these (136). An RSA exponentiation squares for each bit of the exponent and multiplies for each that is set.
    var verificationCost: Int {
        switch material {
        case .success(.rsa(_, let modulus, let exponent)):
            let words = Self.bitCount(modulus) / 64 + 1
            let steps = Self.bitCount(exponent) + exponent.reduce(0) { $0 + $1.nonzeroBitCount }
            return words * words * steps / 500 + 1
        case .success(.eddsa): return 650
        case .success(.ecdsa): return 900
        case .failure: return 1
        }
    }
}

extension OpenPGP {
    /// Throws unless `signature` is by `key`, over `digest`, which `hash` made.
    static func verify(
        _ signature: SignaturePacket, by key: PublicKey, digest: [UInt8], hash: DigestState.Algorithm
    ) throws(Error) {
        guard signature.algorithm == key.algorithm else { throw .badSignature }
        try verify(signature.value, by: key, digest: digest, hash: hash)
    }

    /// Throws unless `fields`, the algorithm-specific end of a signature packet, are by `key`, over `digest`.
    static func verify(
        _ fields: ArraySlice<UInt8>, by key: PublicKey, digest: [UInt8], hash: DigestState.Algorithm
    ) throws(Error) {
        let material = try key.material.get()
        var reader = ByteReader(fields)
        let value: SExpression
        let data: SExpression
        switch material {
        case .rsa(_, let modulus, _):
            let number = try reader.mpi(maximumBits: Policy.maximumRSABits)
            guard let padded = number.leftPadded(to: modulus.count), padded.lexicographicallyPrecedes(modulus)
            else { throw .badSignature }
            value = try expression("(sig-val(rsa(s %b)))", [number])
            data = try expression("(data(flags pkcs1)(hash \(hash.libraryName) %b))", [digest[...]])
        case .eddsa:
            let (r, s) = try eddsaValue(&reader, key.algorithm)
            value = try expression("(sig-val(eddsa(r %b)(s %b)))", [r, s])
            data = try expression("(data(flags eddsa)(hash-algo sha512)(value %b))", [digest[...]])
        case .ecdsa:
            let (r, s) = try (reader.mpi(maximumBits: 256), reader.mpi(maximumBits: 256))
            value = try expression("(sig-val(ecdsa(r %b)(s %b)))", [r, s])
            // The leftmost bits of the digest, as many as the curve has (FIPS 186-5, section 6.4.2).
            data = try expression("(data(flags raw)(value %b))", [digest.prefix(32)])
        }
        guard reader.isAtEnd else { throw .malformedPacket("bytes after the end of a signature") }
        guard material.expression.verifies(value, of: data) else { throw .badSignature }
    }

    /// R and S of an Ed25519 signature, 32 bytes each.
    private static func eddsaValue(
        _ reader: inout ByteReader, _ algorithm: UInt8
    ) throws(Error) -> (r: ArraySlice<UInt8>, s: ArraySlice<UInt8>) {
        var values: [ArraySlice<UInt8>] = []
        for _ in 0..<2 {
            // Algorithm 22 has MPIs of little-endian strings, which lost the zeros at their front (RFC 9580, section
            // 5.2.3.3).
            let isFixed = algorithm == PublicKeyAlgorithm.ed25519.rawValue
            let value = try isFixed ? reader.bytes(32) : reader.mpi(maximumBits: 256)
            guard let padded = value.leftPadded(to: 32) else { throw .badSignature }
            values.append(padded)
        }
        // RFC 8032, section 5.1.7: an S that is not below the order of the group spells a signature a second time.
        guard EdwardsPoint.isBelowGroupOrder(values[1]) else { throw .badSignature }
        return (values[0], values[1])
    }

    /// An S-expression of the library.
    static func expression(
        _ format: String, _ values: [ArraySlice<UInt8>], secret: Bool = false
    ) throws(Error) -> SExpression {
        try library { () throws(CryptoError) in try SExpression(format, values, secret: secret) }
    }

    /// Runs `body`, whose failure is one of the library.
    static func library<Result>(_ body: () throws(CryptoError) -> Result) throws(Error) -> Result {
        do throws(CryptoError) { return try body() } catch { throw .library(error) }
    }
}
