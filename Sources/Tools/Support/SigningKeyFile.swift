import PDCrypto
import PDFiles

/// The file of a secret key without passphrase, as `pd-release keygen` makes it.
public enum SigningKeyFile {
    /// Reads the key into secret memory.
    ///
    /// - Throws: ``ToolFailure`` that names the file, or ``FileError``.
    public static func read(_ file: String) throws -> OpenPGP.SecretKey {
        let secret = try Files.readSecret(file, limit: OpenPGP.SecretKey.sizeLimit)
        do throws(OpenPGP.Error) {
            return try OpenPGP.SecretKey(secret)
        } catch {
            if case .passphraseProtected = error {
                throw ToolFailure(
                    .failed,
                    "\(file) is protected by a passphrase: import it into gpg and sign with --gpg-key")
            }
            throw ToolFailure(.failed, "\(file) cannot sign: \(error)")
        }
    }
}
