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

        /// The algorithm, if it may be believed.
        func trusted() throws(Error) -> HashAlgorithm {
            switch self {
            case .strong(let algorithm): return algorithm
            case .weak(_, let name): throw .weakHash(name)
            case .unknown(let id): throw .unsupportedHash(id)
            }
        }

        /// The digest to check a statement about a key with. Over a weak hash a revocation counts, since refusing it
        /// would revive a key that its owner declared dead, while a forged one does no more than end a key; and a
        /// declaration stands in the way of older ones.
        func digestForStatement() throws(Error) -> DigestState.Algorithm {
            if case .weak(let algorithm, _) = self, algorithm.isAvailable { return algorithm }
            return try trusted().digest
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
