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
        public var description: String { "SHA-\(digest.byteCount * 8)" }

        var digest: DigestState.Algorithm {
            switch self {
            case .sha256: .sha256
            case .sha384: .sha384
            case .sha512: .sha512
            }
        }
    }

    /// What a signature packet says that it was hashed with.
    struct StatedHash {
        let id: UInt8

        /// The name, where the algorithm is a broken one.
        var weakName: String? {
            switch DigestState.Algorithm(rawValue: id) {
            case .md5: "MD5"
            case .sha1: "SHA-1"
            case .ripemd160: "RIPEMD-160"
            case .sha224: "SHA-224"
            default: nil
            }
        }
    }

    /// A public-key algorithm's number in key and signature packets (RFC 9580, section 9.1).
    enum PublicKeyAlgorithm: UInt8 {
        case rsa = 1, rsaEncryptOnly, rsaSignOnly
        case elgamal = 16, dsa, ecdh, ecdsa, elgamalForBoth, dh, eddsaLegacy
        case x25519 = 25, x448, ed25519, ed448

        static let ed25519OID: [UInt8] = [0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01]
        static let p256OID: [UInt8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]

        /// What people call an algorithm that is not supported, or its curve.
        func name(curve: ArraySlice<UInt8>?) -> String {
            switch self {
            case .dsa: return "DSA"
            case .elgamal, .elgamalForBoth: return "Elgamal"
            case .rsaEncryptOnly: return "RSA for encryption only"
            case .ecdh, .x25519, .x448: return "a key for encryption"
            case .ed448: return "Ed448"
            case .ecdsa, .eddsaLegacy:
                let name = curve.flatMap { oid in Self.curves.first { oid.elementsEqual($0.oid) }?.name }
                return (self == .ecdsa ? "ECDSA" : "EdDSA") + " on " + (name ?? "an unknown curve")
            default: return "public-key algorithm \(rawValue)"
            }
        }

        private static let curves: [(name: String, oid: [UInt8])] = [
            ("NIST P-256", p256OID), ("NIST P-384", [0x2b, 0x81, 0x04, 0x00, 0x22]),
            ("NIST P-521", [0x2b, 0x81, 0x04, 0x00, 0x23]), ("secp256k1", [0x2b, 0x81, 0x04, 0x00, 0x0a]),
            ("Ed448", [0x2b, 0x65, 0x71]),
            ("Brainpool P-256", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x07]),
            ("Brainpool P-384", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0b]),
            ("Brainpool P-512", [0x2b, 0x24, 0x03, 0x03, 0x02, 0x08, 0x01, 0x01, 0x0d]),
        ]
    }
}
