import CGcrypt
import PDSecrets

/// A running digest of libgcrypt, for the algorithms that this module knows.
///
/// SHA-1 is here for the fingerprints of v4 OpenPGP keys (RFC 9580, section 5.5.4.2). It, MD5, RIPEMD-160 and SHA-224
/// are here for revocations; nothing else that is signed with them is believed.
struct DigestState: ~Copyable {
    enum Algorithm: Sendable {
        case md5, sha1, ripemd160, sha224, sha256, sha384, sha512

        var byteCount: Int {
            switch self {
            case .md5: 16
            case .sha1, .ripemd160: 20
            case .sha224: 28
            case .sha256: 32
            case .sha384: 48
            case .sha512: 64
            }
        }

        fileprivate var identifier: Int32 {
            switch self {
            case .md5: Int32(GCRY_MD_MD5.rawValue)
            case .sha1: Int32(GCRY_MD_SHA1.rawValue)
            case .ripemd160: Int32(GCRY_MD_RMD160.rawValue)
            case .sha224: Int32(GCRY_MD_SHA224.rawValue)
            case .sha256: Int32(GCRY_MD_SHA256.rawValue)
            case .sha384: Int32(GCRY_MD_SHA384.rawValue)
            case .sha512: Int32(GCRY_MD_SHA512.rawValue)
            }
        }

        /// Whether the library computes it: in FIPS mode it has no MD5 and no RIPEMD-160.
        var isAvailable: Bool {
            DigestState.start()
            return gcry_md_algo_info(identifier, Int32(GCRYCTL_TEST_ALGO.rawValue), nil, nil) == 0
        }
    }

    let algorithm: Algorithm
    private let handle: gcry_md_hd_t

    init(_ algorithm: Algorithm) {
        Self.start()
        var opened: gcry_md_hd_t?
        guard gcry_md_open(&opened, algorithm.identifier, 0) == 0, let opened else {
            // The algorithm is there, or was asked for with `isAvailable`: only memory can be short, where Swift's own
            // allocations stop as well.
            preconditionFailure("libgcrypt cannot allocate a digest")
        }
        self.algorithm = algorithm
        handle = opened
    }

    private init(algorithm: Algorithm, handle: gcry_md_hd_t) {
        self.algorithm = algorithm
        self.handle = handle
    }

    deinit { gcry_md_close(handle) }

    /// A second digest that has hashed what this one has.
    func copy() -> DigestState {
        var copied: gcry_md_hd_t?
        guard gcry_md_copy(&copied, handle) == 0, let copied else {
            preconditionFailure("libgcrypt cannot allocate a digest")
        }
        return DigestState(algorithm: algorithm, handle: copied)
    }

    func update(_ bytes: some Collection<UInt8>) {
        bytes.withContiguousBytes { gcry_md_write(handle, $0.baseAddress, $0.count) }
    }

    consuming func digest() -> [UInt8] {
        // For one algorithm per handle the answer is never null.
        guard let result = gcry_md_read(handle, 0) else { return [] }
        return [UInt8](UnsafeBufferPointer(start: result, count: algorithm.byteCount))
    }

    static func hash(_ bytes: some Collection<UInt8>, _ algorithm: Algorithm) -> [UInt8] {
        start()
        return bytes.withContiguousBytes { input in
            [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { output, count in
                gcry_md_hash_buffer(algorithm.identifier, output.baseAddress, input.baseAddress, input.count)
                count = algorithm.byteCount
            }
        }
    }

    /// The digest of three pieces one after the other, in one call and without a handle.
    static func hash(
        _ bytes: some Collection<UInt8>, _ middle: ArraySlice<UInt8>, _ end: [UInt8], _ algorithm: Algorithm
    ) -> [UInt8] {
        start()
        return bytes.withContiguousBytes { first in
            middle.withUnsafeBytes { second in
                end.withUnsafeBytes { third in
                    let buffers = [first, second, third].map { piece in
                        gcry_buffer_t(
                            size: 0, off: 0, len: piece.count,
                            data: UnsafeMutableRawPointer(mutating: piece.baseAddress))
                    }
                    return [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { output, count in
                        // It fails for unknown algorithms and flags only.
                        _ = gcry_md_hash_buffers(
                            algorithm.identifier, 0, output.baseAddress, buffers, Int32(buffers.count))
                        count = algorithm.byteCount
                    }
                }
            }
        }
    }

    /// Digests cannot throw, and one by a library that was not made ready could decide about a signature: a program whose
    /// library is too old ends.
    private static func start() {
        do throws(CryptoError) { try Libgcrypt.ready() } catch { fatalError("\(error)") }
    }
}
