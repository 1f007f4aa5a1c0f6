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

    /// Throws unless `signature` is this key's over `digest`, which `hash` made.
    func verify(
        _ signature: OpenPGP.SignaturePacket, digest: [UInt8], hash: DigestState.Algorithm
    ) throws(OpenPGP.Error) {
        guard signature.algorithm == algorithm else { throw .badSignature }
        try verify(signature.value, digest: digest, hash: hash)
    }

    /// Throws unless `fields`, the algorithm-specific end of a signature packet, are this key's over `digest`.
    func verify(_ fields: ArraySlice<UInt8>, digest: [UInt8], hash: DigestState.Algorithm) throws(OpenPGP
        .Error)
    {
        let key = try material.get()
        var reader = OpenPGP.ByteReader(fields)
        let value: SExpression
        let data: SExpression
        switch key {
        case .rsa(_, let modulus, _):
            let number = try reader.mpi(maximumBits: OpenPGP.Policy.maximumRSABits)
            guard let padded = number.leftPadded(to: modulus.count), padded.lexicographicallyPrecedes(modulus)
            else {
                throw .badSignature
            }
            value = try OpenPGP.expression("(sig-val(rsa(s %b)))", [number])
            data = try OpenPGP.expression("(data(flags pkcs1)(hash \(hash.libraryName) %b))", [digest[...]])
        case .eddsa(_, let algorithm):
            let (r, s) = try Self.eddsaValue(&reader, algorithm)
            value = try OpenPGP.expression("(sig-val(eddsa(r %b)(s %b)))", [r, s])
            data = try OpenPGP.expression("(data(flags eddsa)(hash-algo sha512)(value %b))", [digest[...]])
        case .ecdsa:
            let (r, s) = try (reader.mpi(maximumBits: 256), reader.mpi(maximumBits: 256))
            value = try OpenPGP.expression("(sig-val(ecdsa(r %b)(s %b)))", [r, s])
            // The leftmost bits of the digest, as many as the curve has (FIPS 186-5, section 6.4.2).
            data = try OpenPGP.expression("(data(flags raw)(value %b))", [digest.prefix(32)])
        }
        guard reader.isAtEnd else { throw .malformedPacket("bytes after the end of a signature") }
        guard key.expression.verifies(value, of: data) else { throw .badSignature }
    }

    /// R and S of an Ed25519 signature, 32 bytes each.
    private static func eddsaValue(
        _ reader: inout OpenPGP.ByteReader, _ algorithm: UInt8
    ) throws(OpenPGP.Error) -> (r: ArraySlice<UInt8>, s: ArraySlice<UInt8>) {
        let r: ArraySlice<UInt8>
        let s: ArraySlice<UInt8>
        if algorithm == OpenPGP.PublicKeyAlgorithm.ed25519 {
            r = try reader.bytes(32)
            s = try reader.bytes(32)
        } else {
            // MPIs of little-endian strings, which lost the zeros at their front (RFC 9580, section 5.2.3.3).
            let (first, second) = try (reader.mpi(maximumBits: 256), reader.mpi(maximumBits: 256))
            guard let first = first.leftPadded(to: 32), let second = second.leftPadded(to: 32) else {
                throw .badSignature
            }
            (r, s) = (first, second)
        }
        // RFC 8032, section 5.1.7: an S that is not below the order of the group spells a signature a second time.
        guard EdwardsPoint.isBelowGroupOrder(s) else { throw .badSignature }
        return (r, s)
    }
}

extension OpenPGP {
    /// An S-expression, with the library's failure as an error of OpenPGP.
    static func expression(
        _ format: String, _ values: [ArraySlice<UInt8>], secret: Bool = false
    ) throws(Error) -> SExpression {
        do throws(CryptoError) {
            return try SExpression(format, values, secret: secret)
        } catch {
            throw .library(error)
        }
    }
}
