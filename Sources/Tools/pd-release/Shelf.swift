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

    init(state: String) throws(ToolFailure) {
        self.state = state
        guard FileManager.default.fileExists(atPath: "\(state)/keys") else {
            throw ToolFailure(.failed, "there is no server in \(state): name another with --state")
        }
    }

    var directory: String { "\(state)/releases" }
    private var trusted: String { "\(state)/keys/release" }

    /// How long a publication waits for another one.
    private static let patience: Duration = .seconds(60)

    /// Takes the right to change the shelf, and from here on works as the user whom the state belongs to: a server that
    /// runs as that user must be able to read what root publishes, and who has broken into it must not be able to lead
    /// root elsewhere by a link.
    func lock() throws -> StateLock {
        try becomeOwner()
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

    private func becomeOwner() throws(FileError) {
        guard geteuid() == 0 else { return }
        var owner = stat()
        guard stat(state, &owner) == 0 else {
            throw FileError(operation: "look at", path: state, code: errno)
        }
        guard owner.st_uid != 0 else { return }
        guard setgroups(0, nil) == 0, setegid(owner.st_gid) == 0, seteuid(owner.st_uid) == 0 else {
            throw FileError(operation: "become the owner of", path: state, code: errno)
        }
    }

    /// The keys that may sign releases: one a file.
    func verifier() throws -> OpenPGP.Verifier {
        var certificates: [OpenPGP.Certificate] = []
        for name in try names(in: trusted) where name.hasSuffix(".asc") || name.hasSuffix(".gpg") {
            let file = "\(trusted)/\(name)"
            do {
                certificates.append(try OpenPGP.Certificate(try Files.read(file, limit: 1 << 20)))
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
        let key = try SigningKeyOptions.secretKey("\(state)/keys/server.key.asc")
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
