import CGPGME

extension GnuPG {
    /// Bytes that gpg writes.
    struct Output: ~Copyable {
        let handle: gpgme_data_t

        init() throws(Error) {
            var created: gpgme_data_t?
            try Context.check(gpgme_data_new(&created))
            guard let created else { throw Error(gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_INTERNAL)) }
            handle = created
        }

        deinit { gpgme_data_release(handle) }

        /// All bytes that were written.
        consuming func bytes() -> [UInt8] {
            var count = 0
            let memory = gpgme_data_release_and_get_mem(handle, &count)
            discard self
            defer { gpgme_free(memory) }
            return [UInt8](UnsafeRawBufferPointer(start: memory, count: memory == nil ? 0 : count))
        }
    }
}
