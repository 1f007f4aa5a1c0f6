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
            case eddsa(SExpression, algorithm: UInt8)
            case ecdsa(SExpression)

            /// The key in libgcrypt's form.
            var expression: SExpression {
                switch self {
                case .rsa(let key, _, _), .eddsa(let key, _), .ecdsa(let key): key
                }
            }
        }

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
            var curve: ArraySlice<UInt8>?
            switch algorithm {
            case PublicKeyAlgorithm.rsa, PublicKeyAlgorithm.rsaSignOnly:
                numbers = try .rsa(
                    modulus: reader.mpi(maximumBits: 16_384), exponent: reader.mpi(maximumBits: 16_384))
            case PublicKeyAlgorithm.eddsaLegacy, PublicKeyAlgorithm.ecdsa:
                let oid = try reader.bytes(Int(reader.byte()))
                curve = oid
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
                material = .failure(.unsupportedAlgorithm(PublicKeyAlgorithm.name(algorithm, curve: curve)))
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
                if let reason = Policy.weakness(modulus: modulus, exponent: exponent) {
                    throw .weakKey(fingerprint, reason: reason)
                }
                return try .rsa(
                    expression("(public-key(rsa(n %b)(e %b)))", [modulus, exponent]), modulus: modulus,
                    exponent: exponent)
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
