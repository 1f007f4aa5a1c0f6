import CGPGME

extension GnuPG {
    /// A gpgme context, for one operation in one thread: contexts are cheap beside the process that each starts.
    struct Context: ~Copyable {
        let handle: gpgme_ctx_t

        init(_ home: Home) throws(Error) {
            try GnuPG.ready()
            var created: gpgme_ctx_t?
            try Context.check(gpgme_new(&created))
            guard let created else { throw Error(gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_INTERNAL)) }
            var error = gpgme_set_protocol(created, GPGME_PROTOCOL_OpenPGP)
            if error == 0 {
                error = gpgme_ctx_set_engine_info(created, GPGME_PROTOCOL_OpenPGP, nil, home.path)
            }
            guard error == 0 else {
                gpgme_release(created)
                throw Error(error)
            }
            // Nothing here has a reason to ask a keyserver.
            gpgme_set_offline(created, 1)
            handle = created
        }

        deinit { gpgme_release(handle) }

        static func check(_ error: gpgme_error_t) throws(Error) {
            guard error == 0 else { throw Error(error) }
        }

        /// The key with this fingerprint; nil if there is none.
        func key(_ fingerprint: String) throws(Error) -> KeyReference? {
            var found: gpgme_key_t?
            let error = gpgme_get_key(handle, fingerprint, &found, 0)
            if gpgme_err_code(error) == GPG_ERR_EOF { return nil }
            try Context.check(error)
            return found.map(KeyReference.init)
        }
    }

    /// A reference to a key that gpgme listed.
    struct KeyReference: ~Copyable {
        let handle: gpgme_key_t

        init(_ handle: gpgme_key_t) {
            self.handle = handle
        }

        deinit { gpgme_key_unref(handle) }

        /// The primary key's fingerprint in hexadecimal digits.
        var fingerprint: String { handle.pointee.fpr.map { String(cString: $0) } ?? "" }
    }
}
