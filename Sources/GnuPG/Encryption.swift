import CGPGME
import PDCrypto

extension GnuPG.Home {
    /// Encrypts a file to a key of the keyring: a binary message that any OpenPGP program opens.
    ///
    /// - Parameters:
    ///   - source: the open file, read from where it stands.
    ///   - target: the open file that the message is written to.
    ///   - recipient: of the primary key; that it is named in full is all the trust that is asked for.
    public func encrypt(
        from source: Int32, to target: Int32, recipient: OpenPGP.Fingerprint
    ) throws(GnuPG.Error) {
        let context = try GnuPG.Context(self)
        guard let key = try context.key(recipient.description) else { throw .noSuchKey(recipient) }
        try key.requirePrimary(recipient)
        let input = try GnuPG.OpenFile(source)
        let output = try GnuPG.OpenFile(target)
        var keys = [key.handle, nil]
        let flags = gpgme_encrypt_flags_t(
            GPGME_ENCRYPT_ALWAYS_TRUST.rawValue | GPGME_ENCRYPT_NO_ENCRYPT_TO.rawValue)
        try GnuPG.Context.check(gpgme_op_encrypt(context.handle, &keys, flags, input.handle, output.handle))
    }

    /// Decrypts a message that was encrypted to a key of the keyring. What was written is worth nothing where this
    /// throws: only the end of a message says that it is whole.
    public func decrypt(
        from source: Int32, to target: Int32, passphrase: GnuPG.Passphrase = .askedByAgent
    ) throws(GnuPG.Error) {
        let context = try GnuPG.Context(self)
        let input = try GnuPG.OpenFile(source)
        let output = try GnuPG.OpenFile(target)
        let (handle, from, to) = (context.handle, input.handle, output.handle)
        try GnuPG.Conversation(passphrase).during(context) { gpgme_op_decrypt(handle, from, to) }
    }
}

extension GnuPG {
    /// An open file that gpg reads or writes; it stays open.
    struct OpenFile: ~Copyable {
        let handle: gpgme_data_t

        init(_ descriptor: Int32) throws(Error) {
            var created: gpgme_data_t?
            try Context.check(gpgme_data_new_from_fd(&created, descriptor))
            guard let created else { throw Error(gpgme_err_make(GPG_ERR_SOURCE_USER_1, GPG_ERR_INTERNAL)) }
            handle = created
        }

        deinit { gpgme_data_release(handle) }
    }
}
