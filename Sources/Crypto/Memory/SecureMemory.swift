import CGcrypt
import PDSecrets

/// Memory of libgcrypt's own that it knows to be secure: what it copies from there, it keeps secure as well.
enum SecureMemory {
    /// Gives `body` a copy of a secret, which is wiped afterwards. The pointer must not leave `body`.
    static func withCopy<Result>(
        of secret: SecretBytes, _ body: (UnsafeRawBufferPointer) throws(CryptoError) -> Result
    ) throws(CryptoError) -> Result {
        try Libgcrypt.ready()
        // One byte for none: the library tells secure memory by its address.
        guard let start = gcry_malloc_secure(max(secret.count, 1)) else {
            throw .library(code: gpg_error_from_errno(gpg_err_code_to_errno(GPG_ERR_ENOMEM)))
        }
        // Wipes.
        defer { gcry_free(start) }
        let copy = UnsafeMutableRawBufferPointer(start: start, count: secret.count)
        secret.withUnsafeBytes { copy.copyMemory(from: $0) }
        return try body(UnsafeRawBufferPointer(copy))
    }
}
