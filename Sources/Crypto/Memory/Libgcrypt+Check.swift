import CGcrypt

extension Libgcrypt {
    /// Turns an error code of libgcrypt into an error.
    package static func check(_ code: gcry_error_t) throws(CryptoError) {
        guard code == 0 else { throw .library(code: code) }
    }
}
