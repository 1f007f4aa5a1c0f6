import PDSecrets

extension OpenPGP {
    /// Why a signature, a key or a message was refused. One case for each reason, each with one line for people.
    public enum Error: Swift.Error, Equatable, Sendable {
        // MARK: The bytes

        /// More bytes than a thing of this kind may have.
        case tooLong(limit: Int)
        /// Not ASCII armor of the expected kind (RFC 9580, section 6.2); the text says what is wrong.
        case malformedArmor(String)
        /// Something else than what is wanted.
        case mistake(Mistake)
        /// Not a sequence of well-formed packets (RFC 9580, section 4); the text says what is wrong.
        case malformedPacket(String)
        /// A packet of this type where none may stand.
        case unexpectedPacket(PacketTag)
        /// Another number of signatures than the one that is wanted.
        case notExactlyOneSignature(found: Int)
        /// Another number of keys than the one that is wanted.
        case notExactlyOneKey(found: Int)
        /// Verifying what a certificate says of itself would take too long.
        case tooCostly
        /// The message is compressed, and nothing is decompressed before it is verified.
        case compressedMessage
        /// The message is encrypted, not signed.
        case encryptedMessage

        // MARK: The signature

        /// A signature packet of another version than 4.
        case unsupportedSignatureVersion(UInt8)
        /// A key packet of another version than 4.
        case unsupportedKeyVersion(UInt8)
        /// A public-key algorithm, or a curve, of this name that is not verified here.
        case unsupportedAlgorithm(String)
        /// A hash algorithm that is not known here.
        case unsupportedHash(UInt8)
        /// A hash algorithm that no longer protects against forgery, or is too short for the key.
        case weakHash(String)
        /// A signature over something other than a binary document.
        case wrongSignatureType(UInt8)
        /// A critical subpacket that is not understood here (RFC 9580, section 5.2.3.7).
        case unknownCriticalSubpacket(UInt8)
        /// The signature does not say what it is for, where this purpose is wanted.
        case missingPurpose(wanted: Purpose)
        /// The signature was made for something else; nil where it should have no purpose, as those of version 1.
        case wrongPurpose(found: String, wanted: Purpose?)
        /// The signature says more than once, or in no reliable way, what it is for; the text says what is wrong.
        case malformedPurpose(String)
        /// No creation time in the part that is signed.
        case missingCreationTime
        /// Neither an issuer fingerprint nor an issuer key ID.
        case missingIssuer
        /// The signature says that it was made later than now.
        case signatureFromTheFuture(Timestamp)
        /// The signature says that it holds no longer than this.
        case signatureExpired(Timestamp)
        /// The signature says that it was made before the key that made it.
        case signatureOlderThanKey(Fingerprint)
        /// The signature's mathematics do not hold: data, signature or key was changed.
        case badSignature
        /// Fewer of the trusted keys have signed than are wanted.
        case thresholdNotReached(have: Int, need: Int)

        // MARK: The key

        /// None of the trusted certificates has a key with this ID.
        case unknownSigner(keyID: String)
        /// The key expired at this time.
        case keyExpired(Fingerprint, at: Timestamp)
        /// The key was revoked by its owner.
        case keyRevoked(Fingerprint)
        /// The key says that it was made later than now.
        case keyFromTheFuture(Fingerprint)
        /// The key's owner did not allow it to sign documents.
        case keyCannotSign(Fingerprint)
        /// The key is too weak, or its numbers are no sound key.
        case weakKey(Fingerprint, reason: String)
        /// The key carries no valid signature of itself over a user ID.
        case noSelfSignature(Fingerprint)
        /// The newest signature of the key over itself, or a subkey's over its primary key, is over a broken hash.
        case weakSelfSignature(Fingerprint, hash: String)
        /// A signature of the key over itself does not fit what it is over.
        case brokenSelfSignature(Fingerprint)
        /// A revocation of the key stands behind another key of the file, where nobody looks for it.
        case misplacedRevocation(Fingerprint)
        /// The certificate's primary key did not adopt this subkey.
        case noSubkeyBinding(Fingerprint)
        /// The subkey did not confirm that it belongs to the primary key (RFC 9580, section 5.2.1.11).
        case noBackSignature(Fingerprint)
        /// The secret key is protected by a passphrase.
        case passphraseProtected(Fingerprint)
        /// The public and the secret half do not belong together, or the secret half is damaged.
        case malformedSecretKey(Fingerprint)
        /// The certificate's secret keys are held elsewhere, such as on a card.
        case noSecretKey(Fingerprint)

        /// A time that does not fit the 32 bits that OpenPGP gives it, or a name that is too long or not plain text.
        case unsuitableTimeOrName

        // MARK: The library

        /// libgcrypt failed.
        case library(CryptoError)
    }
}

extension OpenPGP.Error: CustomStringConvertible {
    /// One line for people.
    public var description: String {
        switch self {
        case .tooLong(let limit): "longer than the \(limit) bytes that are read"
        case .malformedArmor(let reason): "not well-formed OpenPGP armor: \(reason)"
        case .mistake(let mistake): mistake.description
        case .malformedPacket(let reason): "not well-formed OpenPGP packets: \(reason)"
        case .unexpectedPacket(let tag): "an OpenPGP \(tag) packet where none may stand"
        case .notExactlyOneSignature(let found): "\(found) signatures where exactly one is wanted"
        case .notExactlyOneKey(let found):
            "\(found) keys where exactly one is wanted"
                + (found > 1 ? ": export it alone, with gpg --export FINGERPRINT" : "")
        case .tooCostly:
            "the key has so many signatures of itself that verifying them takes too long:"
                + " export it with gpg --export-options export-minimal --export"
        case .compressedMessage: "the signed message is compressed; only uncompressed ones are read"
        case .encryptedMessage: "the message is encrypted where a signed one is wanted"
        case .unsupportedSignatureVersion(let version):
            "signature version \(version) is not supported, only 4"
        case .unsupportedKeyVersion(let version):
            "key version \(version) is not supported, only 4, which gpg makes unless told otherwise"
        case .unsupportedAlgorithm(let name):
            "\(name) is not supported, only RSA, Ed25519 and ECDSA on NIST P-256"
        case .unsupportedHash(let id): "hash algorithm \(id) is not supported"
        case .weakHash(let name): "hash algorithm \(name) is too weak to be trusted"
        case .wrongSignatureType(let type):
            "signature type 0x\(BaseN.upperHexadecimal.text([type])) where a binary document signature (0x00) is wanted"
        case .unknownCriticalSubpacket(let type): "critical signature subpacket \(type) is not understood"
        case .missingPurpose(let wanted):
            "the signature does not say what it is for, and \(wanted) is wanted: "
                + "sign with the notation \(Purpose.notationName)=\(wanted)"
        case .wrongPurpose(let found, let wanted?): "the signature was made for \(found), not for \(wanted)"
        case .wrongPurpose(let found, nil):
            "the signature was made for \(found), where one without a purpose is wanted"
        case .malformedPurpose(let reason): "the purpose of the signature is not reliable: \(reason)"
        case .missingCreationTime: "the signature has no signed creation time"
        case .missingIssuer: "the signature does not name its key"
        case .signatureFromTheFuture(let time): "the signature is dated in the future (\(time))"
        case .signatureExpired(let time): "the signature expired (\(time))"
        case .signatureOlderThanKey(let key): "the signature is older than its key \(key)"
        case .badSignature: "the signature does not fit the data"
        case .thresholdNotReached(let have, let need):
            "signed by \(have) trusted keys where \(need) are needed"
        case .unknownSigner(let keyID): "signed by key \(keyID), which is not trusted here"
        case .keyExpired(let key, let time): "key \(key) expired (\(time))"
        case .keyRevoked(let key): "key \(key) is revoked"
        case .keyFromTheFuture(let key): "key \(key) is dated in the future"
        case .keyCannotSign(let key): "key \(key) is not allowed to sign documents"
        case .weakKey(let key, let reason): "key \(key) is too weak: \(reason)"
        case .noSelfSignature(let key): "key \(key) has no valid signature of itself"
        case .weakSelfSignature(let key, let hash):
            "key \(key) vouches for itself over \(hash), which is broken: let its owner renew it with"
                + " gpg --cert-digest-algo SHA256 --quick-set-expire, and export it again"
        case .brokenSelfSignature(let key):
            "key \(key) has a signature of itself that does not fit: the file was damaged or changed"
        case .misplacedRevocation(let key):
            "a revocation of key \(key) stands behind another key: put each key with its revocation in its own file"
        case .noSubkeyBinding(let key): "subkey \(key) is not bound to its primary key"
        case .noBackSignature(let key): "subkey \(key) has not confirmed its primary key"
        case .passphraseProtected(let key): "secret key \(key) is protected by a passphrase"
        case .malformedSecretKey(let key): "secret key \(key) is damaged"
        case .noSecretKey(let key): "no signing secret key of \(key) is here"
        case .unsuitableTimeOrName:
            "a time beyond the years 1970 to 2106, or a user ID that is not plain text"
        case .library(let error): error.description
        }
    }
}
