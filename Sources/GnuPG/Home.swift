import CGPGME
import Glibc
import PDCrypto

extension GnuPG {
    /// A GnuPG home directory: a keyring, and the agent that guards its secret keys.
    ///
    /// Holds nothing but the path: any number of threads may use one value at once.
    public struct Home: Hashable, Sendable {
        /// Where the directory is; nil for GnuPG's own choice, which is `$GNUPGHOME` or `~/.gnupg`.
        public let path: String?

        /// - Parameter path: an existing directory, or nil for GnuPG's own choice.
        public init(path: String? = nil) throws(Error) {
            if let path {
                var status = stat()
                guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
                    throw .noSuchHome(path)
                }
            }
            self.path = path
        }

        /// All keys of version 4 in the keyring, in the order in which gpg lists them.
        public func keys() throws(Error) -> [Key] {
            let context = try Context(self)
            let mode = gpgme_keylist_mode_t(GPGME_KEYLIST_MODE_LOCAL | GPGME_KEYLIST_MODE_WITH_SECRET)
            try Context.check(gpgme_set_keylist_mode(context.handle, mode))
            try Context.check(gpgme_op_keylist_start(context.handle, nil, 0))
            var keys = [Key]()
            while true {
                var next: gpgme_key_t?
                let error = gpgme_op_keylist_next(context.handle, &next)
                if gpgme_err_code(error) == GPG_ERR_EOF { return keys }
                try Context.check(error)
                if let reference = next.map(KeyReference.init), let key = Key(reference) { keys.append(key) }
            }
        }

        /// The certificate of one key, without what others signed of it: gpg's minimal export.
        ///
        /// - Parameter fingerprint: of the primary key.
        public func certificate(_ fingerprint: OpenPGP.Fingerprint) throws(Error) -> OpenPGP.Certificate {
            let context = try Context(self)
            guard let key = try context.key(fingerprint.description) else { throw .noSuchKey(fingerprint) }
            try key.requirePrimary(fingerprint)
            let output = try Output()
            var keys = [key.handle, nil]
            let mode = gpgme_export_mode_t(GPGME_EXPORT_MODE_MINIMAL)
            try Context.check(gpgme_op_export_keys(context.handle, &keys, mode, output.handle))
            let certificate: OpenPGP.Certificate
            do throws(OpenPGP.Error) {
                certificate = try OpenPGP.Certificate(output.bytes())
            } catch {
                throw .unusableKey(error)
            }
            guard certificate.fingerprint == fingerprint else { throw .noSuchKey(fingerprint) }
            return certificate
        }
    }

    /// A key as the keyring lists it. What its owner declares, and whether it holds, its certificate tells.
    public struct Key: Hashable, Sendable {
        /// The primary key's fingerprint.
        public let fingerprint: OpenPGP.Fingerprint
        /// The owner's names, for people to choose by; control characters are escaped. Nobody has verified them.
        public let userIDs: [String]
        /// Whether the agent has a secret half, if only by knowing its smartcard.
        public let hasSecretKey: Bool

        init?(_ key: borrowing KeyReference) {
            guard let fingerprint = OpenPGP.Fingerprint(hex: key.fingerprint) else { return nil }
            self.fingerprint = fingerprint
            hasSecretKey = key.handle.pointee.secret != 0
            userIDs = sequence(first: key.handle.pointee.uids) { $0?.pointee.next }
                .prefix { $0 != nil }
                .compactMap { $0?.pointee.uid }
                .map { String(cString: $0).escapingControls }
        }
    }
}

extension GnuPG.KeyReference {
    /// Throws unless `fingerprint` is that of the primary key.
    func requirePrimary(_ fingerprint: OpenPGP.Fingerprint) throws(GnuPG.Error) {
        guard let primary = OpenPGP.Fingerprint(hex: self.fingerprint) else { throw .noSuchKey(fingerprint) }
        guard primary == fingerprint else { throw .subkey(fingerprint, of: primary) }
    }
}
