extension OpenPGP {
    /// Something else than what is wanted, as people hand it over now and then.
    public enum Mistake: Equatable, Sendable, CustomStringConvertible {
        /// A secret key in the place of a public one.
        case secretKey
        /// A public key in the place of a secret one.
        case publicKey
        /// A text with its signature around it.
        case clearSigned
        /// A signature, or what is signed, in the place of a key.
        case signature
        /// A key of OpenSSH, or of OpenSSL and its like.
        case foreignKey
        /// A keyring of GnuPG itself.
        case keybox
        /// Text of two octets each character.
        case utf16
        /// UTF-8 with a mark before it.
        case byteOrderMark

        /// What was done and what to do, in one line.
        public var description: String {
            switch self {
            case .secretKey:
                "a secret key where a public one is wanted: give the output of gpg --armor --export,"
                    + " and take this file away from wherever others can read it"
            case .publicKey:
                "a public key where a secret one is wanted: give the output of gpg --export-secret-keys"
            case .clearSigned:
                "a clear-signed text where a signature alone is wanted: sign with gpg --detach-sign"
            case .signature:
                "a signature or a message where a key is wanted: give the output of gpg --armor --export"
            case .foreignKey:
                "a key that is not of OpenPGP, but of OpenSSH or OpenSSL: make one with gpg or pd-release keygen"
            case .keybox: "a keybox of GnuPG where a key is wanted: give the output of gpg --armor --export"
            case .utf16:
                "text in UTF-16, as > writes it in PowerShell: write it again with gpg --output FILE"
            case .byteOrderMark:
                "text with a byte order mark, as Notepad writes it: save it as UTF-8 without one"
            }
        }

        /// What can be told from the first bytes of a file.
        init?(startOf input: [UInt8]) {
            if input.starts(with: [0xef, 0xbb, 0xbf]) {
                self = .byteOrderMark
            } else if input.starts(with: [0xff, 0xfe]) || input.starts(with: [0xfe, 0xff]) {
                self = .utf16
            } else if input.dropFirst(8).starts(with: "KBXf".utf8) {
                self = .keybox
            } else {
                return nil
            }
        }

        /// What can be told from a file without any block, where a key is wanted: how those of OpenSSH and armor after
        /// RFC 7468 begin.
        init?(withoutBlock input: [UInt8], wanted kind: Armor.Kind) {
            let starts = ["ssh-", "sk-ssh-", "ecdsa-", "sk-ecdsa-", "---- BEGIN SSH2", "-----BEGIN "]
            guard kind.isKey, starts.contains(where: { input.starts(with: $0.utf8) }) else { return nil }
            self = .foreignKey
        }

        /// What can be told from the label of a block.
        init?(found label: String, wanted kind: Armor.Kind) {
            switch (label, kind) {
            case ("PGP SIGNED MESSAGE", _) where !kind.isKey: self = .clearSigned
            case ("PGP SIGNED MESSAGE", _), ("PGP SIGNATURE", _), ("PGP MESSAGE", _):
                guard kind.isKey else { return nil }
                self = .signature
            case (Armor.Kind.secretKey.rawValue, .publicKey): self = .secretKey
            case (Armor.Kind.publicKey.rawValue, .secretKey): self = .publicKey
            default: return nil
            }
        }
    }
}
