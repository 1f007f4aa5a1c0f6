extension OpenPGP {
    /// A hash algorithm that may stand in a signature which is believed (RFC 9580, section 9.5).
    public enum HashAlgorithm: UInt8, Sendable, CaseIterable, CustomStringConvertible {
        /// SHA-256, 32 bytes.
        case sha256 = 8
        /// SHA-384, 48 bytes.
        case sha384 = 9
        /// SHA-512, 64 bytes.
        case sha512 = 10

        /// The algorithm's name, such as `SHA-256`.
        public var description: String {
            switch self {
            case .sha256: "SHA-256"
            case .sha384: "SHA-384"
            case .sha512: "SHA-512"
            }
        }
    }

    /// What a signature packet says that it was hashed with.
    enum StatedHash: Equatable {
        case strong(HashAlgorithm)
        case weak(DigestState.Algorithm, name: String)
        case unknown(UInt8)

        init(_ id: UInt8) {
            if let algorithm = HashAlgorithm(rawValue: id) {
                self = .strong(algorithm)
                return
            }
            switch id {
            case 1: self = .weak(.md5, name: "MD5")
            case 2: self = .weak(.sha1, name: "SHA-1")
            case 3: self = .weak(.ripemd160, name: "RIPEMD-160")
            case 11: self = .weak(.sha224, name: "SHA-224")
            default: self = .unknown(id)
            }
        }

        /// The name, where the algorithm is a broken one.
        var weakName: String? {
            guard case .weak(_, let name) = self else { return nil }
            return name
        }
    }

    /// A public-key algorithm's number in key and signature packets (RFC 9580, section 9.1).
    enum PublicKeyAlgorithm {
        static let rsa: UInt8 = 1
        static let rsaEncryptOnly: UInt8 = 2
        static let rsaSignOnly: UInt8 = 3
        static let elgamal: UInt8 = 16
        static let dsa: UInt8 = 17
        static let ecdh: UInt8 = 18
        static let ecdsa: UInt8 = 19
        static let eddsaLegacy: UInt8 = 22
        static let x25519: UInt8 = 25
        static let x448: UInt8 = 26
        static let ed25519: UInt8 = 27
        static let ed448: UInt8 = 28

        /// What people call an algorithm that is not supported, or its curve.
        static func name(_ algorithm: UInt8, curve: ArraySlice<UInt8>?) -> String {
            switch algorithm {
            case dsa: return "DSA"
            case elgamal, 20: return "Elgamal"
            case rsaEncryptOnly: return "RSA for encryption only"
            case ecdh, x25519, x448: return "a key for encryption"
            case ed448: return "Ed448"
            case ecdsa, eddsaLegacy:
                let name = curve.flatMap { oid in curves.first { oid.elementsEqual($0.oid) }?.name }
                return (algorithm == ecdsa ? "ECDSA" : "EdDSA") + " on " + (name ?? "an unknown curve")
            default: return "public-key algorithm \(algorithm)"
            }
        }

        private static let curves: [(name: String, oid: [UInt8])] = [
            ("NIST P-256", [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
            ("NIST P-384", [0x2b, 0x81, 0x04, 0x00, 0x22]), ("NIST P-521", [0x2b, 0x81, 0x04, 0x00, 0x23]),
            ("secp256k1", [0x2b, 0x81, 0x04, 0x00, 0x0a]), ("Ed448", [0x2b, 0x65, 0x71]),
            ("Brainpool P-256", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07]),
            ("Brainpool P-384", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b]),
            ("Brainpool P-512", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d]),
        ]
    }
}

extension OpenPGP.HashAlgorithm {
    var digest: DigestState.Algorithm {
        switch self {
        case .sha256: .sha256
        case .sha384: .sha384
        case .sha512: .sha512
        }
    }
}

extension DigestState.Algorithm {
    /// What libgcrypt calls the algorithm.
    var libraryName: String {
        switch self {
        case .md5: "md5"
        case .sha1: "sha1"
        case .ripemd160: "rmd160"
        case .sha224: "sha224"
        case .sha256: "sha256"
        case .sha384: "sha384"
        case .sha512: "sha512"
        }
    }
}
