import CGcrypt

/// libgcrypt without anything around it.
enum Library {
    struct Failure: Error {
        var code: gcry_error_t
    }

    static func check(_ code: gcry_error_t) throws {
        guard code == 0 else { throw Failure(code: code) }
    }

    static func expression(_ text: String) throws -> gcry_sexp_t? {
        var result: gcry_sexp_t?
        try check(gcry_sexp_new(&result, text, text.utf8.count, 1))
        return result
    }

    static func sha256(_ bytes: [UInt8], into digest: inout [UInt8]) {
        gcry_md_hash_buffer(Int32(GCRY_MD_SHA256.rawValue), &digest, bytes, bytes.count)
    }

    /// `format`, with the digest as its `%b`.
    static func data(_ format: String, _ digest: inout [UInt8]) throws -> gcry_sexp_t? {
        var result: gcry_sexp_t?
        var count = Int32(digest.count)
        try digest.withUnsafeMutableBytes { bytes in
            var start = bytes.baseAddress
            try withUnsafeMutablePointer(to: &count) { count in
                try withUnsafeMutablePointer(to: &start) { start in
                    var arguments: [UnsafeMutableRawPointer?] = [
                        UnsafeMutableRawPointer(count), UnsafeMutableRawPointer(start),
                    ]
                    try check(gcry_sexp_build_array(&result, nil, format, &arguments))
                }
            }
        }
        return result
    }

    static func cipher(_ mode: gcry_cipher_modes, key: [UInt8], iv: [UInt8]? = nil) throws
        -> gcry_cipher_hd_t?
    {
        var handle: gcry_cipher_hd_t?
        try check(gcry_cipher_open(&handle, Int32(GCRY_CIPHER_AES256.rawValue), Int32(mode.rawValue), 0))
        try check(gcry_cipher_setkey(handle, key, key.count))
        if let iv { try check(gcry_cipher_setiv(handle, iv, iv.count)) }
        return handle
    }
}
