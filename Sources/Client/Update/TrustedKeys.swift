import Logging
import PDCrypto
import PDFiles

/// The keys that this machine obeys: those that the settings name, from the files in the state directory.
///
/// A file alone trusts nobody, and a fingerprint without its file cannot verify anything.
struct TrustedKeys {
    private let trust: Trust
    private let certificates: [OpenPGP.Certificate]

    /// Reads the server's key, those in `keys/`, and those that the release in use brought. A file that is no key is told
    /// in the log and trusts nobody.
    init(_ trust: Trust, state: StateDirectory, log: Logger) throws(FileError) {
        self.trust = trust
        var files = [state.serverKey]
        for directory in [state.keys, "\(state.releases)/current/keys"] {
            do throws(FileError) {
                files += try Files.names(in: directory)
                    .filter { $0.hasSuffix(".asc") || $0.hasSuffix(".gpg") }
                    .map { "\(directory)/\($0)" }
            } catch { guard error.isAbsence else { throw error } }
        }
        var certificates: [OpenPGP.Certificate] = []
        for file in files {
            do {
                certificates += try OpenPGP.Certificate.all(
                    in: try Files.read(file, limit: OpenPGP.Certificate.sizeLimit))
            } catch {
                log.warning(
                    "a key cannot be read, and is not trusted: \(error)", metadata: ["file": "\(file)"])
            }
        }
        self.certificates = certificates
    }

    /// What verifies signatures for one purpose.
    func verifier(_ role: Trust.Role) -> OpenPGP.Verifier {
        let wanted = Set(trust.fingerprints(role))
        return OpenPGP.Verifier(certificates: certificates.filter { wanted.contains($0.fingerprint) })
    }
}
