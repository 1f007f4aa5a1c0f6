import CGPGME
import Glibc

/// Keys that people hold: in a GnuPG keyring, behind a passphrase, on a smartcard.
///
/// All of it goes through gpgme, which starts gpg for each operation; secret keys stay with gpg-agent and never enter
/// this process. Signatures are verified in the process, by PDCrypto, before anyone sees them.
public enum GnuPG {
    /// The oldest gpgme that this module was written for.
    static let minimumVersion = "1.18.0"

    private static let initialisation: Result<Void, Error> = {
        // Must be the first call, and in one thread; a static constant is both.
        guard gpgme_check_version(minimumVersion) != nil else {
            let found = gpgme_check_version(nil).map { String(cString: $0) } ?? "none"
            return .failure(.libraryTooOld(found: found, needed: minimumVersion))
        }
        // For the language in which the agent's dialog speaks. Taken from the environment, since setlocale(3) would
        // change the whole process.
        for (category, name) in [(LC_CTYPE, "LC_CTYPE"), (LC_MESSAGES, "LC_MESSAGES")] {
            let value = ["LC_ALL", name, "LANG"].compactMap { (name: String) in getenv(name) }.first {
                $0.pointee != 0
            }
            guard let value else { continue }
            let error = gpgme_set_locale(nil, category, value)
            guard error == 0 else { return .failure(Error(error)) }
        }
        return .success(())
    }()

    /// Makes gpgme usable; cheap after the first call, and safe from any thread.
    static func ready() throws(Error) {
        try initialisation.get()
    }
}
