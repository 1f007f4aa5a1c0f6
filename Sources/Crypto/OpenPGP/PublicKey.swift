extension OpenPGP {
    /// A version 4 public key or subkey packet (RFC 9580, section 5.5.2), ready to verify with.
    ///
    /// The key is handed to libgcrypt once, when the packet is read, and never changes: copies share it, on any thread.
    struct PublicKey: Sendable {
        /// The packet's body: what certifications and the fingerprint hash.
        let body: ArraySlice<UInt8>
        let fingerprint: Fingerprint
        let creationTime: Timestamp
        let algorithm: UInt8
        /// What can verify; an error where the algorithm is not supported here, or the key too weak.
        let material: Result<Material, Error>

        /// A key in libgcrypt's form, with what its signatures must look like.
        enum Material: Sendable {
            case rsa(SExpression, modulus: ArraySlice<UInt8>)
            case eddsa(SExpression, algorithm: UInt8)
            case ecdsa(SExpression)

            /// The key in libgcrypt's form.
            var expression: SExpression {
                switch self {
                case .rsa(let key, _), .eddsa(let key, _), .ecdsa(let key): key
                }
            }
        }

        /// RSA keys below this are refused: RFC 9580, section 12.4.
        static let minimumRSABits = 2048
        /// RSA keys below this are accepted with a warning: RFC 9580, section 12.4.
        static let recommendedRSABits = 3072
        /// Larger keys only serve to keep a verifier busy.
        static let maximumRSABits = 8192

        static let ed25519OID: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01]
        private static let p256OID: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]

        init(_ body: ArraySlice<UInt8>) throws(Error) {
            var reader = ByteReader(body)
            try self.init(&reader)
            if case .success = material, !reader.isAtEnd {
                throw .malformedPacket("bytes after the end of a key")
            }
        }

        /// Reads the public part of a key; what follows is left in `reader`.
        init(_ reader: inout ByteReader) throws(Error) {
            let all = reader.rest
            let version = try reader.byte()
            guard version == 4 else { throw .unsupportedKeyVersion(version) }
            creationTime = try Timestamp(reader.uint32())
            algorithm = try reader.byte()
            var numbers: Numbers?
            switch algorithm {
            case PublicKeyAlgorithm.rsa, PublicKeyAlgorithm.rsaSignOnly:
                numbers = try .rsa(
                    modulus: reader.mpi(maximumBits: 16_384), exponent: reader.mpi(maximumBits: 16_384))
            case PublicKeyAlgorithm.eddsaLegacy, PublicKeyAlgorithm.ecdsa:
                let oid = try reader.bytes(Int(reader.byte()))
                let point = try reader.mpi(maximumBits: 2048)
                if algorithm == PublicKeyAlgorithm.eddsaLegacy, oid.elementsEqual(Self.ed25519OID) {
                    numbers = .ed25519(point)
                } else if algorithm == PublicKeyAlgorithm.ecdsa, oid.elementsEqual(Self.p256OID) {
                    numbers = .p256(point)
                }
            case PublicKeyAlgorithm.ed25519:
                numbers = try .ed25519([0x40] + reader.bytes(32))
            default:
                try Self.skipUnsupported(algorithm, &reader)
            }
            body = all[all.startIndex..<reader.rest.startIndex]
            guard body.count <= 0xffff else { throw .malformedPacket("a key of more than 65,535 bytes") }
            fingerprint = Fingerprint(ofKeyPacket: body)
            guard let numbers else {
                material = .failure(.unsupportedAlgorithm(algorithm))
                return
            }
            do throws(Error) {
                material = .success(try Self.material(numbers, algorithm, fingerprint))
            } catch {
                material = .failure(error)
            }
        }

        /// Finds the end of a key that cannot be used here, such as one for encryption (RFC 9580, section 5.5.5).
        private static func skipUnsupported(_ algorithm: UInt8, _ reader: inout ByteReader) throws(Error) {
            switch algorithm {
            case PublicKeyAlgorithm.rsaEncryptOnly: for _ in 0..<2 { _ = try reader.mpi(maximumBits: 16_384) }
            case PublicKeyAlgorithm.elgamal: for _ in 0..<3 { _ = try reader.mpi(maximumBits: 16_384) }
            case PublicKeyAlgorithm.dsa: for _ in 0..<4 { _ = try reader.mpi(maximumBits: 16_384) }
            case PublicKeyAlgorithm.ecdh:
                _ = try reader.bytes(Int(reader.byte()))
                _ = try reader.mpi(maximumBits: 2048)
                _ = try reader.bytes(Int(reader.byte()))
            case PublicKeyAlgorithm.x25519: _ = try reader.bytes(32)
            case PublicKeyAlgorithm.x448: _ = try reader.bytes(56)
            case PublicKeyAlgorithm.ed448: _ = try reader.bytes(57)
            default: _ = try reader.bytes(reader.rest.count)
            }
        }

        private enum Numbers {
            case rsa(modulus: ArraySlice<UInt8>, exponent: ArraySlice<UInt8>)
            case ed25519(ArraySlice<UInt8>)
            case p256(ArraySlice<UInt8>)
        }

        private static func material(
            _ numbers: Numbers, _ algorithm: UInt8, _ fingerprint: Fingerprint
        ) throws(Error) -> Material {
            switch numbers {
            case .rsa(let modulus, let exponent):
                if let reason = rsaWeakness(modulus, exponent) { throw .weakKey(fingerprint, reason: reason) }
                return try .rsa(
                    expression("(public-key(rsa(n %b)(e %b)))", [modulus, exponent]), modulus: modulus)
            case .ed25519(let point):
                guard point.first == 0x40, try isUsable(point.dropFirst()) else {
                    throw .weakKey(fingerprint, reason: "its point is none of Ed25519")
                }
                let key = try expression("(public-key(ecc(curve Ed25519)(flags eddsa)(q %b)))", [point])
                return .eddsa(key, algorithm: algorithm)
            case .p256(let point):
                guard point.count == 65, point.first == 0x04 else {
                    throw .weakKey(fingerprint, reason: "its point is none of NIST P-256")
                }
                return try .ecdsa(expression("(public-key(ecc(curve \"NIST P-256\")(q %b)))", [point]))
            }
        }

        private static func isUsable(_ point: ArraySlice<UInt8>) throws(Error) -> Bool {
            do throws(CryptoError) {
                return try EdwardsPoint.isUsableAsKey(Array(point))
            } catch {
                throw .library(error)
            }
        }

        /// What is wrong with an RSA public key, by FIPS 186-5, section A.1.1, and RFC 9580, section 12.4.
        private static func rsaWeakness(_ modulus: ArraySlice<UInt8>, _ exponent: ArraySlice<UInt8>)
            -> String?
        {
            let bits = bitCount(modulus)
            guard bits >= minimumRSABits else { return "RSA of \(bits) bits" }
            guard bits <= maximumRSABits else { return "RSA of \(bits) bits, which takes too long" }
            guard (modulus.last ?? 0) & 1 == 1 else { return "an even RSA modulus" }
            guard (exponent.last ?? 0) & 1 == 1, (17...256).contains(bitCount(exponent)) else {
                return "its RSA exponent is even, or not between 2^16 and 2^256"
            }
            return nil
        }

        private static func bitCount(_ number: ArraySlice<UInt8>) -> Int {
            number.count * 8 - (number.first?.leadingZeroBitCount ?? 0)
        }

        /// The size of an RSA modulus in bits, nil for other keys.
        var rsaBits: Int? {
            guard case .success(.rsa(_, let modulus)) = material else { return nil }
            return Self.bitCount(modulus)
        }
    }
}

extension OpenPGP.PublicKey {
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
        case .rsa(_, let modulus):
            let number = try reader.mpi(maximumBits: Self.maximumRSABits)
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
