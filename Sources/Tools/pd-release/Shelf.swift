import FoundationEssentials
import Glibc
import PDCrypto
import PDFiles
import PDProtocol
import PDToolSupport

/// The releases that a server hands out: files in the folder `releases` of its state, named by the release's number.
///
/// `N.manifest.sig` comes last: what has none is not there yet.
struct Shelf {
    private let state: String
    /// Root works as the owner of the server's state: the server must be able to read what root publishes, and who has
    /// broken into it must not be able to lead root elsewhere.
    let place: OwnedDirectory

    init(state: String) throws {
        self.state = state
        guard FileManager.default.fileExists(atPath: "\(state)/keys") else {
            throw ToolFailure(.failed, "there is no server in \(state): name another with --state")
        }
        place = try OwnedDirectory(state)
    }

    var directory: String { "\(state)/releases" }
    private var trusted: String { "\(state)/keys/release" }

    /// How long a publication waits for another one.
    private static let patience: Duration = .seconds(60)

    /// Takes the right to change the shelf.
    func lock() throws -> StateLock {
        try Files.makePrivateDirectory(directory)
        do throws(FileError) {
            return try StateLock("\(directory)/lock", patience: Self.patience)
        } catch {
            guard error.code != EACCES else {
                throw ToolFailure(
                    .failed,
                    "\(error); the releases must belong to whom \(state) belongs to: chown -R --reference=\(state) \(directory)"
                )
            }
            guard error.code == EWOULDBLOCK else { throw error }
            throw ToolFailure(
                .failed,
                "another pd-release has been publishing in \(directory) for a minute: try again later")
        }
    }

    /// The keys that may sign releases: one a file.
    func verifier() throws -> OpenPGP.Verifier {
        var certificates: [OpenPGP.Certificate] = []
        for name in try names(in: trusted) where name.hasSuffix(".asc") || name.hasSuffix(".gpg") {
            let file = "\(trusted)/\(name)"
            do {
                certificates.append(
                    try OpenPGP.Certificate(try Files.read(file, limit: OpenPGP.Certificate.sizeLimit)))
            } catch let error as OpenPGP.Error {
                throw ToolFailure(.failed, "\(file) is not a public key: \(error)")
            }
        }
        guard !certificates.isEmpty else {
            throw ToolFailure(
                .failed, "no key may sign releases yet: put the public half of one that may into \(trusted)")
        }
        return OpenPGP.Verifier(certificates: certificates)
    }

    /// The server's own key, which must be one that may sign releases.
    func serverKey(_ verifier: OpenPGP.Verifier) throws -> OpenPGP.SecretKey {
        let key = try SigningKeyFile.read("\(state)/keys/server.key.asc")
        guard verifier.certificates.contains(where: { $0.fingerprint == key.certificate.fingerprint }) else {
            throw ToolFailure(
                .refused, "the server's key may not sign releases: name one that may with --v1-key")
        }
        return key
    }

    /// The numbers of all releases, in ascending order.
    func numbers() throws(FileError) -> [Int] {
        try names(in: directory).compactMap { name in
            guard name.hasSuffix(".manifest.sig"), let number = Int(name.dropLast(13)),
                name == "\(number).manifest.sig"
            else { return nil }
            return number
        }.sorted()
    }

    func files(_ number: Int) -> ReleaseFiles { ReleaseFiles(archive: "\(directory)/\(number).tar") }

    private func names(in directory: String) throws(FileError) -> [String] {
        Files.exists(directory) ? try Files.names(in: directory) : []
    }
}
