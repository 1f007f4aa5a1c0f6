import CGcrypt

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// An S-expression of libgcrypt: how its public-key functions take keys, data and signatures
/// (libgcrypt manual, chapter 9).
///
/// Immutable after it is built. The library stores it as one flat block of bytes and its public-key functions only
/// search that block, so any number of threads may use one expression at once: hence `@unchecked Sendable`.
final class SExpression: @unchecked Sendable {
    let handle: gcry_sexp_t

    private init(handle: gcry_sexp_t) {
        self.handle = handle
    }

    deinit { gcry_sexp_release(handle) }

    /// Builds from `format`, in which each `%b` stands for the next of `values`.
    ///
    /// - Parameter secret: the values are secrets: they are copied, and the result kept, in secure memory only.
    convenience init(_ format: String, _ values: [ArraySlice<UInt8>], secret: Bool = false)
        throws(CryptoError)
    {
        try Libgcrypt.ready()
        // libgcrypt wants, for each %b, the address of an int and the address of a pointer.
        var total = 1
        for value in values { total += value.count }
        guard let bytes = secret ? gcry_malloc_secure(total) : gcry_malloc(total) else {
            throw .library(code: gpg_error_from_errno(ENOMEM))
        }
        defer { gcry_free(bytes) }
        var pointers = [UnsafeMutableRawPointer]()
        var lengths = [Int32]()
        var offset = 0
        for value in values {
            let start = bytes + offset
            value.withUnsafeBytes { source in
                if let base = source.baseAddress { start.copyMemory(from: base, byteCount: source.count) }
            }
            pointers.append(start)
            lengths.append(Int32(clamping: value.count))
            offset += value.count
        }
        var built: gcry_sexp_t?
        let code = pointers.withUnsafeMutableBytes { pointers in
            lengths.withUnsafeMutableBytes { lengths in
                var arguments = [UnsafeMutableRawPointer?]()
                for index in values.indices {
                    arguments.append(lengths.baseAddress.map { $0 + index * MemoryLayout<Int32>.stride })
                    arguments.append(
                        pointers.baseAddress.map { $0 + index * MemoryLayout<UnsafeMutableRawPointer>.stride }
                    )
                }
                return gcry_sexp_build_array(&built, nil, format, &arguments)
            }
        }
        guard code == 0, let built else { throw .library(code: code) }
        self.init(handle: built)
    }

    /// A fresh key pair from a `genkey` expression.
    static func generateKey(_ parameters: SExpression) throws(CryptoError) -> SExpression {
        var key: gcry_sexp_t?
        let code = gcry_pk_genkey(&key, parameters.handle)
        guard code == 0, let key else { throw .library(code: code) }
        return SExpression(handle: key)
    }

    /// The signature of `data` by this private key.
    func sign(_ data: SExpression) throws(CryptoError) -> SExpression {
        var signature: gcry_sexp_t?
        let code = gcry_pk_sign(&signature, data.handle, handle)
        guard code == 0, let signature else { throw .library(code: code) }
        return SExpression(handle: signature)
    }

    /// Whether `signature` is this public key's over `data`. Whatever the library finds wrong with a signature is a
    /// no: it answers some malformed ones with errors other than "bad signature".
    func verifies(_ signature: SExpression, of data: SExpression) -> Bool {
        gcry_pk_verify(signature.handle, data.handle, handle) == 0
    }

    /// The bytes after `token` in the list that begins with it; nil where there is no such list.
    func value(_ token: String) -> [UInt8]? {
        guard let list = gcry_sexp_find_token(handle, token, 0) else { return nil }
        defer { gcry_sexp_release(list) }
        var length = 0
        guard let data = gcry_sexp_nth_data(list, 1, &length) else { return nil }
        return [UInt8](UnsafeRawBufferPointer(start: data, count: length))
    }
}
