import Glibc
import Logging
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

/// Puts a release into use, or leaves everything as it is.
struct ReleaseInstaller {
    let folder: ReleaseFolder
    let keys: TrustedKeys
    /// The line of releases that this machine follows.
    let channel: String
    /// The machine's architecture, as its kernel names it.
    let architecture: String
    /// Tries the release in use: what is wrong with it, or nothing.
    let test: (OpenDirectory) async -> String?
    let log: Logger

    /// How often a trial that was cut short, by a power failure for instance, is begun.
    static let trialLimit = 2

    // MARK: - Which

    /// What a manifest says, after it was found to be one that this machine may install.
    ///
    /// - Parameters:
    ///   - statement: the manifest and its signature.
    ///   - asked: the number that the person at the machine asked for, who alone may go back.
    ///   - now: when this update began, in seconds since 1970-01-01 UTC.
    func accept(
        _ statement: SignedStatement, asked: Int?, now: Int64
    ) throws(ReleaseError) -> Manifest {
        let manifest: Manifest
        do throws(SignedStatement.Failure) {
            manifest = try statement.manifest(
                verifiedBy: keys.verifier(.releases), at: OpenPGP.Timestamp(now))
        } catch { throw .statement(error) }
        for (what, has, wanted) in [
            ("product", manifest.product, Manifest.agentProduct), ("channel", manifest.channel, channel),
            (
                "architecture", manifest.architecture,
                manifest.architecture == Manifest.anyArchitecture ? manifest.architecture : architecture
            ),
        ] where has != wanted {
            throw .notForUs(what: what, has: has, wanted: wanted)
        }
        guard now < manifest.expires else {
            throw .expired(manifest.number, Timestamp.text(milliseconds: manifest.expires * 1000))
        }
        let identity = ReleaseFolder.Identity(manifest.number, manifest: statement.bytes)
        let highest = try folder.highest()
        if let highest, highest.number == identity.number, highest != identity {
            throw .otherContent(identity.number)
        }
        if let asked {
            guard asked == manifest.number else { throw .notTheOneAsked(asked, offered: manifest.number) }
            return manifest
        }
        // The release in use counts, too, should the memory of the highest one be gone.
        let floor = max(highest?.number ?? 0, signedCurrent(now) ?? 0)
        guard identity.number >= floor else {
            throw .rollback(offered: identity.number, highest: floor)
        }
        if let current = folder.current, current != manifest.number, current < manifest.minimumPrevious {
            throw .tooBigAStep(manifest.number, minimum: manifest.minimumPrevious, current: current)
        }
        if let failed = try folder.failed(), failed.release == identity {
            throw .failedBefore(identity.number, reason: failed.reason)
        }
        return manifest
    }

    /// The number of the release in use, where a trusted key signed its manifest: a link alone, which may lead nowhere,
    /// says nothing of what was accepted.
    func signedCurrent(_ now: Int64) -> Int? {
        guard let number = folder.current else { return nil }
        // The collector `integrity` reports what is wrong with it.
        return try? Integrity.manifest(folder, number, keys.verifier(.releases), now).number
    }

    // MARK: - Unpacking

    /// Unpacks an archive beside the release in use.
    ///
    /// - Parameter archive: the file; what is written is what was read once and held against the manifest.
    func unpack(_ archive: OpenFile, _ manifest: Manifest, _ statement: SignedStatement) throws(ReleaseError)
    {
        let (name, temporary) = ("\(manifest.number)", "\(manifest.number).tmp")
        do {
            try folder.directory.remove(temporary)
            let target = try folder.directory.makeDirectory(temporary)
            try unpack(archive, manifest, into: target)
            try refuseSecretKeys(in: target, manifest, statement)
            try target.synchronizeAll()
            for (suffix, bytes) in [("manifest", statement.bytes), ("manifest.sig", statement.signature)] {
                try Files.writeAtomically(bytes, to: "\(folder.path)/\(name).\(suffix)")
            }
            // One that was begun before and is not in use.
            try folder.directory.remove(name)
            try folder.directory.rename(temporary, to: name)
            try folder.directory.remove("\(name).part")
            try folder.directory.synchronize()
        } catch let error as FileError {
            throw .file(error)
        } catch {
            // It will never be another: what was got of it is of no use any more.
            do throws(FileError) {
                for left in [temporary, "\(name).part"] { try folder.directory.remove(left) }
            } catch { throw .file(error) }
            if let refusal = error as? ReleaseError { throw refusal }
            throw .archive(error as? ArchiveError ?? .otherArchive)
        }
    }

    private func unpack(_ archive: OpenFile, _ manifest: Manifest, into target: OpenDirectory) throws {
        var reader = ArchiveReader(manifest)
        var writer: (file: FileWriter, entry: TarEntry)?
        var offset = 0
        while true {
            let piece = try archive.piece(at: offset)
            guard !piece.isEmpty else { break }
            offset += piece.count
            try reader.append(piece)
            while let event = try reader.next() {
                switch event {
                case .entry(let entry) where entry.kind == .directory:
                    let (parent, name) = try target.parent(of: entry.path, making: true)
                    _ = try parent.makeDirectory(name)
                case .entry(let entry):
                    let (parent, name) = try target.parent(of: entry.path, making: true)
                    writer = (try parent.newFile(name), entry)
                case .content(let bytes): try writer?.file.write(bytes)
                case .fileEnd:
                    guard let (file, entry) = writer else { break }
                    try file.finish(mode: mode_t(entry.mode))
                    writer = nil
                }
            }
        }
        try reader.finish()
    }

    /// Whoever can read a secret key on one machine is everybody who has a machine. The release is not asked for again.
    private func refuseSecretKeys(
        in files: OpenDirectory, _ manifest: Manifest, _ statement: SignedStatement
    ) throws {
        for file in manifest.files {
            let open = try files.open(file.path)
            let form = try SecretKeyScan.find(size: open.size) { (offset, count) throws(FileError) in
                try open.bytes(at: offset, count: count)
            }
            guard let form = SecretKeyScan.find(named: file.path.text) ?? form else { continue }
            let place = "\(Value.string(file.path.text).json()) is or holds \(form)"
            try folder.setFailed(.init(manifest.number, manifest: statement.bytes), place)
            throw ReleaseError.secretKey(manifest.number, place)
        }
    }

    // MARK: - Into use

    /// Puts an unpacked release into use and tries it; one that does not work is taken out of use again.
    func use(_ release: ReleaseFolder.Identity) async throws(ReleaseError) {
        // One that is repaired by itself is nothing to go back to.
        let previous = folder.current.flatMap { $0 == release.number ? nil : $0 } ?? 0
        try folder.setTrial(.init(release: release, previous: previous, attempts: 1))
        do throws(FileError) {
            try folder.switchTo(release.number)
        } catch { throw .file(error) }
        try await tryOut(.init(release: release, previous: previous, attempts: 1))
    }

    /// Ends a trial that was cut short.
    ///
    /// - Returns: whether there was one, and the release is in use for good.
    /// - Throws: ``ReleaseError/failed(_:reason:previous:)`` where it was taken out of use.
    func resume() async throws(ReleaseError) -> Bool {
        guard var trial = try folder.trial() else { return false }
        guard folder.current == trial.release.number else {
            // Cut short before the switch, or after going back.
            try folder.setTrial(nil)
            return false
        }
        trial.attempts += 1
        guard trial.attempts <= Self.trialLimit else {
            try goBack(trial, "its test was cut short \(Self.trialLimit) times")
        }
        try folder.setTrial(trial)
        try await tryOut(trial)
        return true
    }

    private func tryOut(_ trial: ReleaseFolder.Trial) async throws(ReleaseError) {
        let files: OpenDirectory
        do throws(FileError) {
            files = try folder.files(trial.release.number)
        } catch { try goBack(trial, "\(error)") }
        if let problem = await test(files) { try goBack(trial, problem) }
        try folder.setTrial(nil)
        do throws(FileError) {
            try folder.removeAll(but: [trial.release.number, trial.previous])
        } catch { throw .file(error) }
        log.notice("a release is in use", metadata: ["release": "\(trial.release.number)"])
    }

    private func goBack(_ trial: ReleaseFolder.Trial, _ reason: String) throws(ReleaseError) -> Never {
        try folder.setFailed(trial.release, reason)
        let previous = folder.holds(trial.previous) ? trial.previous : 0
        do throws(FileError) {
            try folder.switchTo(previous)
        } catch { throw .file(error) }
        try folder.setTrial(nil)
        log.error("a release does not work: \(reason)", metadata: ["release": "\(trial.release.number)"])
        throw .failed(trial.release.number, reason: reason, previous: previous)
    }
}
