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

    /// Files of the original without which its client does nothing any more.
    private static let originalClient = ["client/client-cron.py", "client/update.py", "client/verify.py"]

    /// Makes sure that a release leaves agents of version 1 their client: they delete every file that the release before
    /// named and this one does not.
    func refuseDeletingClient(keeping paths: [String]) throws {
        let newest = try names(in: directory).compactMap { name in
            name.hasSuffix(V1.releasePathsSuffix) ? Int(name.dropLast(V1.releasePathsSuffix.count)) : nil
        }.max()
        // What machines have is not known where no release of theirs lies here: they may have the original.
        let before =
            try newest.map { number in
                let file = "\(directory)/\(number)\(V1.releasePathsSuffix)"
                return String(decoding: try Files.read(file), as: UTF8.self).split(separator: "\n").map(
                    String.init)
            } ?? Self.originalClient
        let lost = Set(before.filter(Self.isClient)).subtracting(paths).sorted()
        guard let first = lost.first else { return }
        throw ToolFailure(
            .refused,
            "agents of version 1 would delete \(lost.count) files of the original's client, \(first) among them, and report "
                + "no more: --replace-original-client publishes it all the same")
    }

    /// Plugins and one-time commands come and go with releases.
    private static func isClient(_ path: String) -> Bool {
        ["client/", "penguindome/"].contains(where: path.hasPrefix)
            && !["client/plugins/", "client/commands/"].contains(where: path.hasPrefix)
            && path != "client/release.txt"
    }

    func files(_ number: Int) -> ReleaseFiles { ReleaseFiles(archive: "\(directory)/\(number).tar") }

    private func names(in directory: String) throws(FileError) -> [String] {
        Files.exists(directory) ? try Files.names(in: directory) : []
    }
}
