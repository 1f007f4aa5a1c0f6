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
            case rsa(SExpression, modulus: ArraySlice<UInt8>, exponent: ArraySlice<UInt8>)
            case eddsa(SExpression)
            case ecdsa(SExpression)

            /// The key in libgcrypt's form.
            var expression: SExpression {
                switch self {
                case .rsa(let key, _, _), .eddsa(let key), .ecdsa(let key): key
                }
            }
        }

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
            let numbers = try Numbers(algorithm, &reader)
            body = all[all.startIndex..<reader.rest.startIndex]
            guard body.count <= 0xffff else { throw .malformedPacket("a key of more than 65,535 bytes") }
            let fingerprint = Fingerprint(ofKeyPacket: body)
            self.fingerprint = fingerprint
            material = Result { () throws(Error) in try numbers.material(of: fingerprint) }
        }

        /// The numbers of a key as they stand there, in their right number only.
        private enum Numbers {
            case rsa(modulus: ArraySlice<UInt8>, exponent: ArraySlice<UInt8>)
            case ed25519(ArraySlice<UInt8>)
            case p256(ArraySlice<UInt8>)
            /// A key that cannot be used here, such as one for encryption.
            case unsupported(String)

            /// Reads to the end of the numbers (RFC 9580, section 5.5.5).
            init(_ algorithm: UInt8, _ reader: inout ByteReader) throws(Error) {
                var curve: ArraySlice<UInt8>?
                let known = PublicKeyAlgorithm(rawValue: algorithm)
                switch known {
                case .rsa, .rsaSignOnly:
                    self = try .rsa(modulus: reader.mpi(), exponent: reader.mpi())
                    return
                case .ed25519:
                    self = try .ed25519([0x40] + reader.bytes(32))
                    return
                case .eddsaLegacy, .ecdsa:
                    let oid = try reader.bytes(Int(reader.byte()))
                    let point = try reader.mpi(maximumBits: 2048)
                    if known == .eddsaLegacy, oid.elementsEqual(PublicKeyAlgorithm.ed25519OID) {
                        self = .ed25519(point)
                        return
                    } else if known == .ecdsa, oid.elementsEqual(PublicKeyAlgorithm.p256OID) {
                        self = .p256(point)
                        return
                    }
                    curve = oid
                case .rsaEncryptOnly: for _ in 0..<2 { _ = try reader.mpi() }
                case .elgamal: for _ in 0..<3 { _ = try reader.mpi() }
                case .dsa: for _ in 0..<4 { _ = try reader.mpi() }
                case .ecdh:
                    _ = try reader.bytes(Int(reader.byte()))
                    _ = try reader.mpi(maximumBits: 2048)
                    _ = try reader.bytes(Int(reader.byte()))
                case .x25519: _ = try reader.bytes(32)
                case .x448: _ = try reader.bytes(56)
                case .ed448: _ = try reader.bytes(57)
                default: _ = try reader.bytes(reader.rest.count)
                }
                self = .unsupported(known?.name(curve: curve) ?? "public-key algorithm \(algorithm)")
            }

            func material(of fingerprint: Fingerprint) throws(Error) -> Material {
                switch self {
                case .unsupported(let name): throw .unsupportedAlgorithm(name)
                case .rsa(let modulus, let exponent):
                    if let reason = Policy.weakness(modulus: modulus, exponent: exponent) {
                        throw .weakKey(fingerprint, reason: reason)
                    }
                    let key = try expression("(public-key(rsa(n %b)(e %b)))", [modulus, exponent])
                    return .rsa(key, modulus: modulus, exponent: exponent)
                case .ed25519(let point):
                    let isUsable = try library { () throws(CryptoError) in
                        try EdwardsPoint.isUsableAsKey(Array(point.dropFirst()))
                    }
                    guard point.first == 0x40, isUsable else {
                        throw .weakKey(fingerprint, reason: "its point is none of Ed25519")
                    }
                    return try .eddsa(
                        expression("(public-key(ecc(curve Ed25519)(flags eddsa)(q %b)))", [point]))
                case .p256(let point):
                    guard point.count == 65, point.first == 0x04 else {
                        throw .weakKey(fingerprint, reason: "its point is none of NIST P-256")
                    }
                    return try .ecdsa(expression("(public-key(ecc(curve \"NIST P-256\")(q %b)))", [point]))
                }
            }
        }

        static func bitCount(_ number: ArraySlice<UInt8>) -> Int {
            number.count * 8 - (number.first?.leadingZeroBitCount ?? 0)
        }

        /// The size of an RSA modulus in bits, nil for other keys.
        var rsaBits: Int? {
            guard case .success(.rsa(_, let modulus, _)) = material else { return nil }
            return Self.bitCount(modulus)
        }
    }
}
