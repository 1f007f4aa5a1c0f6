import CGcrypt
import PDSecrets

/// A running digest of libgcrypt, for the algorithms that this module knows.
///
/// SHA-1 is here for the fingerprints of v4 OpenPGP keys (RFC 9580, section 5.5.4.2). It, MD5, RIPEMD-160 and SHA-224
/// are here for revocations; nothing else that is signed with them is believed.
struct DigestState: ~Copyable {
    /// By their numbers in libgcrypt, which are those of OpenPGP (RFC 9580, section 9.5).
    enum Algorithm: UInt8, Sendable {
        case md5 = 1
        case sha1 = 2
        case ripemd160 = 3
        case sha256 = 8
        case sha384 = 9
        case sha512 = 10
        case sha224 = 11

        var byteCount: Int { Int(gcry_md_get_algo_dlen(identifier)) }

        /// What libgcrypt calls the algorithm in its S-expressions.
        var libraryName: String { String(cString: gcry_md_algo_name(identifier)) }

        fileprivate var identifier: Int32 { Int32(rawValue) }

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
        let code = gcry_md_open(&opened, algorithm.identifier, 0)
        self.init(algorithm, code == 0 ? opened : nil)
    }

    private init(_ algorithm: Algorithm, _ handle: gcry_md_hd_t?) {
        // The algorithm is there, or was asked for with `isAvailable`: only memory can be short, where Swift's own
        // allocations stop as well.
        guard let handle else { preconditionFailure("libgcrypt cannot allocate a digest") }
        self.algorithm = algorithm
        self.handle = handle
    }

    deinit { gcry_md_close(handle) }

    /// A second digest that has hashed what this one has.
    func copy() -> DigestState {
        var copied: gcry_md_hd_t?
        let code = gcry_md_copy(&copied, handle)
        return DigestState(algorithm, code == 0 ? copied : nil)
    }

    func update(_ bytes: some Collection<UInt8>) {
        bytes.withContiguousBytes { gcry_md_write(handle, $0.baseAddress, $0.count) }
    }

    consuming func digest() -> [UInt8] {
        // For one algorithm per handle the answer is never null.
        guard let result = gcry_md_read(handle, 0) else { return [] }
        return [UInt8](UnsafeBufferPointer(start: result, count: algorithm.byteCount))
    }

    /// The digest of up to three pieces one after the other, in one call and without a handle.
    static func hash(
        _ bytes: some Collection<UInt8>, _ algorithm: Algorithm, _ middle: ArraySlice<UInt8> = [],
        _ end: [UInt8] = []
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
                    return [UInt8](count: algorithm.byteCount) { output in
                        // It fails for unknown algorithms and flags only.
                        _ = gcry_md_hash_buffers(
                            algorithm.identifier, 0, output.baseAddress, buffers, Int32(buffers.count))
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
