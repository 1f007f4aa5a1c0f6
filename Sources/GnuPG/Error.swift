import CGPGME
import PDCrypto

extension GnuPG {
    /// Why GnuPG could not do what was asked. No case carries a secret.
    public enum Error: Swift.Error, Equatable, Sendable {
        // MARK: The installation

        /// The installed gpgme is older than what this module was written for.
        case libraryTooOld(found: String, needed: String)
        /// gpg is not installed, or too old for gpgme.
        case programMissing
        /// gpg-agent does not run and could not be started.
        case agentMissing
        /// gpg-agent has no program to ask for a passphrase with, or no terminal to do so on.
        case pinentryMissing
        /// The home directory is not a directory.
        case noSuchHome(String)

        // MARK: The key

        /// No key with this fingerprint is in the keyring.
        case noSuchKey(OpenPGP.Fingerprint)
        /// The fingerprint is that of a subkey; certificates are named by their primary key.
        case subkey(OpenPGP.Fingerprint, of: OpenPGP.Fingerprint)
        /// The agent does not have the secret half of the key.
        case noSecretKey
        /// The key is expired, revoked, not meant for signing, or not one that PenguinDome accepts.
        case unusableKey(OpenPGP.Error)
        /// The smartcard that holds the key is not in the reader, or another one is.
        case cardMissing

        // MARK: The person

        /// The passphrase, or the card's PIN, is wrong.
        case badPassphrase
        /// The person who was asked for the passphrase declined.
        case cancelled
        /// A passphrase that gpg could not read from a line: it is empty or has a line break or a zero byte in it.
        case unsuitablePassphrase

        // MARK: The result

        /// gpg made a signature, but not one that may be published; its configuration may be the cause.
        case refusedSignature(OpenPGP.Error)
        /// gpgme answered with an error code of its own.
        case library(code: UInt32)
    }
}

extension GnuPG.Error {
    /// The error behind a code of gpgme or gpg.
    init(_ error: gpgme_error_t) {
        switch gpgme_err_code(error) {
        case GPG_ERR_INV_ENGINE, GPG_ERR_ENGINE_TOO_OLD: self = .programMissing
        case GPG_ERR_NO_SECKEY, GPG_ERR_UNUSABLE_SECKEY: self = .noSecretKey
        case GPG_ERR_NO_AGENT, GPG_ERR_AGENT: self = .agentMissing
        case GPG_ERR_NO_PIN_ENTRY, GPG_ERR_PIN_ENTRY: self = .pinentryMissing
        case GPG_ERR_CANCELED, GPG_ERR_FULLY_CANCELED: self = .cancelled
        case GPG_ERR_BAD_PASSPHRASE, GPG_ERR_NO_PASSPHRASE, GPG_ERR_BAD_PIN: self = .badPassphrase
        case GPG_ERR_CARD_NOT_PRESENT, GPG_ERR_CARD_REMOVED, GPG_ERR_WRONG_CARD: self = .cardMissing
        default: self = .library(code: error)
        }
    }
}

extension GnuPG.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .libraryTooOld(let found, let needed):
            "gpgme \(found) is too old: version \(needed) or newer is needed"
        case .programMissing: "gpg is not installed, or too old for gpgme"
        case .agentMissing: "gpg-agent does not run and cannot be started"
        case .pinentryMissing: "gpg-agent cannot ask for the passphrase; a terminal needs GPG_TTY=$(tty)"
        case .noSuchHome(let path): "no GnuPG home directory at \(path)"
        case .noSuchKey(let key): "no key \(key) is in the keyring"
        case .subkey(let key, let primary): "\(key) is a subkey; name the key by \(primary)"
        case .noSecretKey: "gpg-agent does not have the secret key"
        case .unusableKey(let reason): "the key cannot sign here: \(reason)"
        case .cardMissing: "the smartcard with the key is not in the reader"
        case .badPassphrase: "wrong passphrase or PIN"
        case .cancelled: "the request for the passphrase was declined"
        case .unsuitablePassphrase: "the passphrase is empty, or has a line break or a zero byte in it"
        case .refusedSignature(let reason): "gpg made a signature that is not accepted here: \(reason)"
        case .library(let code):
            "gpg: " + (gpgme_strerror(code).map { String(cString: $0) } ?? "error \(code)")
        }
    }
}
