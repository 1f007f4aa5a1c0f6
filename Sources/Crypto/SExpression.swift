import CGcrypt
import Glibc

/// An S-expression of libgcrypt: how its public-key functions take keys, data and signatures
/// (libgcrypt manual, chapter 9).
///
/// Immutable after it is built. The library stores it as one flat block of bytes and its public-key functions only
/// search that block, so any number of threads may use one expression at once: hence `@unchecked Sendable`.
final class SExpression: @unchecked Sendable {
    let handle: gcry_sexp_t

    init(handle: gcry_sexp_t) {
        self.handle = handle
    }

    deinit { gcry_sexp_release(handle) }

    /// Builds from `format`, in which each `%b` stands for the next of `parts`.
    ///
    /// The result lies in secure memory if one of the parts does.
    convenience init(_ format: String, reading parts: [UnsafeRawBufferPointer]) throws(CryptoError) {
        try Libgcrypt.ready()
        var lengths = [Int32]()
        for part in parts {
            guard let length = Int32(exactly: part.count) else {
                throw .library(code: GPG_ERR_TOO_LARGE.rawValue)
            }
            lengths.append(length)
        }
        var starts = parts.map(\.baseAddress)
        var built: gcry_sexp_t?
        let code = lengths.withUnsafeMutableBufferPointer { lengths in
            starts.withUnsafeMutableBufferPointer { starts in
                // For each %b: the address of a length, then the address of a pointer to the bytes.
                var arguments = [UnsafeMutableRawPointer?]()
                for index in parts.indices {
                    arguments.append(lengths.baseAddress.map { UnsafeMutableRawPointer($0 + index) })
                    arguments.append(starts.baseAddress.map { UnsafeMutableRawPointer($0 + index) })
                }
                return gcry_sexp_build_array(&built, nil, format, &arguments)
            }
        }
        guard code == 0, let built else { throw .library(code: code) }
        self.init(handle: built)
    }

    /// Builds from `format` and copies of `values`.
    ///
    /// - Parameter secret: the values are secrets: they are copied, and the result kept, in secure memory only.
    convenience init(_ format: String, _ values: [ArraySlice<UInt8>], secret: Bool = false)
        throws(CryptoError)
    {
        try Libgcrypt.ready()
        let total = values.reduce(1) { $0 + $1.count }
        guard let copies = secret ? gcry_malloc_secure(total) : gcry_malloc(total) else {
            throw .library(code: gpg_error_from_errno(ENOMEM))
        }
        defer { gcry_free(copies) }
        var parts = [UnsafeRawBufferPointer]()
        var start = copies
        for value in values {
            let part = UnsafeMutableRawBufferPointer(start: start, count: value.count)
            part.copyBytes(from: value)
            parts.append(UnsafeRawBufferPointer(part))
            start += value.count
        }
        try self.init(format, reading: parts)
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
