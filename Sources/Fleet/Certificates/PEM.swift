import COpenSSL

/// What OpenSSL reads from PEM (RFC 7468).
enum PEM {
    /// pem_password_cb of PEM_read_bio_PrivateKey(3).
    typealias PassphraseCallback =
        @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32

    /// There is no passphrase. Without a callback OpenSSL asks for one on the terminal.
    private static let noPassphrase: PassphraseCallback = { _, _, _, _ in -1 }

    /// The first object of a kind, which the caller frees; nothing where there is none.
    static func object(
        in buffer: UnsafeRawBufferPointer,
        reading read: (OpaquePointer, PassphraseCallback) -> OpaquePointer?
    ) -> OpaquePointer? {
        defer { ERR_clear_error() }
        guard let bio = BIO_new_mem_buf(buffer.baseAddress, Int32(clamping: buffer.count)) else {
            return nil
        }
        defer { BIO_free(bio) }
        return read(bio, noPassphrase)
    }
}
