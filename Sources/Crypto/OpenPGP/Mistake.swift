extension OpenPGP {
    /// Something else than what is wanted, as people hand it over now and then.
    public enum Mistake: String, Sendable, CustomStringConvertible {
        /// A secret key in the place of a public one.
        case secretKey = """
            a secret key where a public one is wanted: give the output of gpg --armor --export, and take this file \
            away from wherever others can read it
            """
        /// A public key in the place of a secret one.
        case publicKey =
            "a public key where a secret one is wanted: give the output of gpg --export-secret-keys"
        /// A text with its signature around it.
        case clearSigned =
            "a clear-signed text where a signature alone is wanted: sign with gpg --detach-sign"
        /// A signature, or what is signed, in the place of a key.
        case signature =
            "a signature or a message where a key is wanted: give the output of gpg --armor --export"
        /// A key of OpenSSH, or of OpenSSL and its like.
        case foreignKey = """
            a key that is not of OpenPGP, but of OpenSSH or OpenSSL: make one with gpg or pd-release keygen
            """
        /// A keyring of GnuPG itself.
        case keybox = "a keybox of GnuPG where a key is wanted: give the output of gpg --armor --export"
        /// Text of two octets each character.
        case utf16 = "text in UTF-16, as > writes it in PowerShell: write it again with gpg --output FILE"
        /// UTF-8 with a mark before it.
        case byteOrderMark = "text with a byte order mark, as Notepad writes it: save it as UTF-8 without one"

        /// What was done and what to do, in one line.
        public var description: String { rawValue }

        /// What can be told from the first bytes of a file.
        init?(startOf input: [UInt8]) {
            switch true {
            case input.starts(with: [0xef, 0xbb, 0xbf]): self = .byteOrderMark
            case input.starts(with: [0xff, 0xfe]), input.starts(with: [0xfe, 0xff]): self = .utf16
            case input.dropFirst(8).starts(with: "KBXf".utf8): self = .keybox
            default: return nil
            }
        }

        /// What can be told from a file without any block, where a key is wanted: how those of OpenSSH and armor after
        /// RFC 7468 begin.
        init?(withoutBlock input: [UInt8], wanted kind: Armor.Kind) {
            let starts = ["ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-", "---- BEGIN SSH2", "-----BEGIN "]
            guard kind.isKey, starts.contains(where: { input.starts(with: $0.utf8) }) else { return nil }
            self = .foreignKey
        }

        private static let signedLabels = ["PGP SIGNED MESSAGE", "PGP SIGNATURE", "PGP MESSAGE"]

        /// What can be told from the label of a block.
        init?(found label: String, wanted kind: Armor.Kind) {
            switch (label, kind) {
            case ("PGP SIGNED MESSAGE", _) where !kind.isKey: self = .clearSigned
            case (let label, _) where kind.isKey && Self.signedLabels.contains(label): self = .signature
            case (Armor.Kind.secretKey.rawValue, .publicKey): self = .secretKey
            case (Armor.Kind.publicKey.rawValue, .secretKey): self = .publicKey
            default: return nil
            }
        }
    }
}
