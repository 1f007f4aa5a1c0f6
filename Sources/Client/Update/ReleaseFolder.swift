import Glibc
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

/// Where an agent keeps its releases: `releases` in its state.
///
/// ```
/// N/                 the files of release N
/// N.manifest         its manifest, and the signature over it
/// N.manifest.sig
/// current -> N       the release in use
/// highest.json       the highest number that was ever accepted, with the digest of its manifest
/// trial.json         a release in use that has not yet shown that it works
/// failed.json        the last one that did not
/// N.tmp, N.part      being unpacked, being downloaded
/// ```
///
/// Every change is on disk before the next one begins, and each is atomic: a machine that stops at any point has the old
/// release or the new one, whole.
struct ReleaseFolder {
    /// A release by its number and what exactly it is.
    struct Identity: Equatable {
        let number: Int
        /// SHA-256 of the manifest, 64 hexadecimal digits.
        let digest: String

        init(number: Int, digest: String) {
            self.number = number
            self.digest = digest
        }

        init(_ number: Int, manifest: [UInt8]) {
            self.number = number
            digest = SHA256.hash(manifest).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        }
    }

    /// A release in use that has not yet shown that it works.
    struct Trial: Equatable {
        let release: Identity
        /// What was in use before; 0 where nothing was.
        let previous: Int
        /// How often its test was begun.
        var attempts: Int
    }

    let path: String
    let directory: OpenDirectory

    /// Opens the folder, making it where it is not there.
    init(_ path: String) throws(FileError) {
        try Files.makePrivateDirectory(path)
        self.path = path
        directory = try OpenDirectory(path)
    }

    // MARK: - What there is

    /// The number of the release in use; nothing where none was installed.
    var current: Int? {
        guard let target = directory.linkTarget("current"), let number = Int(target), number > 0,
            target == "\(number)"
        else { return nil }
        return number
    }

    /// Where the files of a release lie.
    func files(_ number: Int) throws(FileError) -> OpenDirectory { try directory.directory("\(number)") }

    /// The manifest of a release with its signature, as they were accepted.
    func statement(_ number: Int) throws(FileError) -> SignedStatement {
        SignedStatement(
            bytes: try Files.read("\(path)/\(number).manifest", limit: Manifest.sizeLimit, links: .refuse),
            signature: try Files.read(
                "\(path)/\(number).manifest.sig", limit: OpenPGP.Verifier.sizeLimit, links: .refuse))
    }

    /// Whether a release lies here, as far as its names tell.
    func holds(_ number: Int) -> Bool {
        directory.kind("\(number)") == .directory && directory.kind("\(number).manifest.sig") == .file
    }

    // MARK: - What is remembered

    /// The highest release that was ever accepted.
    ///
    /// - Throws: also where the file is damaged: forgetting it would open the door to old releases.
    func highest() throws(ReleaseError) -> Identity? {
        guard let document = try note("highest.json") else { return nil }
        guard let identity = Identity(document) else { throw .damaged("\(path)/highest.json") }
        return identity
    }

    func setHighest(_ release: Identity) throws(ReleaseError) { try write(release.document, "highest.json") }

    /// The release that is on trial. A damaged note is none: the trial begins anew with the next release.
    func trial() throws(ReleaseError) -> Trial? {
        guard let document = try note("trial.json"), let release = Identity(document),
            let previous = document["previous"]?.integer, let attempts = document["attempts"]?.integer
        else { return nil }
        return Trial(release: release, previous: previous, attempts: attempts)
    }

    func setTrial(_ trial: Trial?) throws(ReleaseError) {
        guard let trial else {
            do throws(FileError) {
                try directory.remove("trial.json")
                return try directory.synchronize()
            } catch { throw .file(error) }
        }
        try write(
            trial.release.document.setting("previous", to: .int(trial.previous))
                .setting("attempts", to: .int(trial.attempts)), "trial.json")
    }

    /// The last release that was tried and did not work, with what was wrong.
    func failed() throws(ReleaseError) -> (release: Identity, reason: String)? {
        guard let document = try note("failed.json"), let release = Identity(document) else { return nil }
        return (release, document["reason"]?.string ?? "")
    }

    func setFailed(_ release: Identity, _ reason: String) throws(ReleaseError) {
        try write(release.document.setting("reason", to: .string(reason)), "failed.json")
    }

    private func note(_ name: String) throws(ReleaseError) -> Document? {
        let bytes: [UInt8]
        do throws(FileError) {
            bytes = try Files.read("\(path)/\(name)", limit: 1 << 16, links: .refuse)
        } catch {
            if error.isAbsence { return nil }
            throw .file(error)
        }
        do throws(JSONError) {
            return try Document(json: bytes)
        } catch { throw .damaged("\(path)/\(name)") }
    }

    private func write(_ document: Document, _ name: String) throws(ReleaseError) {
        do throws(FileError) {
            try Files.writeAtomically(Array(document.json().utf8), to: "\(path)/\(name)")
        } catch { throw .file(error) }
    }

    // MARK: - Changes

    /// Puts another release into use; 0 puts none.
    func switchTo(_ number: Int) throws(FileError) {
        if number == 0 {
            try directory.remove("current")
        } else {
            try directory.remove("current.tmp")
            try directory.link("current.tmp", to: "\(number)")
            try directory.rename("current.tmp", to: "current")
        }
        try directory.synchronize()
    }

    /// Removes a release, its files last to be named: what is left of it after a crash is not taken for one.
    func remove(_ number: Int) throws(FileError) {
        for name in [
            "\(number).manifest.sig", "\(number).manifest", "\(number).part", "\(number).tmp", "\(number)",
        ] {
            try directory.remove(name)
        }
        try directory.synchronize()
    }

    /// Removes all releases, and all beginnings of them, but those.
    func removeAll(but kept: Set<Int>) throws(FileError) {
        let numbers = try directory.names().compactMap { name in Int(name.prefix { $0 != "." }) }
        for number in Set(numbers).subtracting(kept).sorted() { try remove(number) }
    }
}

extension ReleaseFolder.Identity {
    fileprivate init?(_ document: Document) {
        guard let number = document["number"]?.integer, number > 0,
            let digest = document["manifest_sha256"]?.string, digest.utf8.count == 64
        else { return nil }
        self.init(number: number, digest: digest)
    }

    fileprivate var document: Document { ["number": .int(number), "manifest_sha256": .string(digest)] }
}
