import PDBasics
import PDCrypto
import PDFiles
import PDProtocol
import PDToolSupport

/// The files of one release beside each other: `X.tar`, `X.manifest`, and `.sig` of both.
struct ReleaseFiles {
    let archive: String
    let manifest: String

    var archiveSignature: String { archive + ".sig" }
    var manifestSignature: String { manifest + ".sig" }

    init(archive: String) {
        self.archive = archive
        manifest = (archive.hasSuffix(".tar") ? String(archive.dropLast(4)) : archive) + ".manifest"
    }

    /// The manifest's bytes, and the manifest itself before anybody's signature was looked at.
    func readManifest() throws -> (bytes: [UInt8], manifest: Manifest) {
        let bytes = try Files.read(manifest, limit: Manifest.sizeLimit)
        do {
            return (bytes, try Manifest(json: bytes))
        } catch { throw ToolFailure(.failed, "\(manifest) is no manifest: \(error)") }
    }

    /// Reads the archive once, holding it against the manifest, and gives its bytes.
    func readArchive(_ manifest: Manifest) throws -> [UInt8] {
        let bytes = try Files.read(archive, limit: manifest.archive.size)
        do throws(ArchiveError) {
            var reader = ArchiveReader(manifest)
            for start in stride(from: 0, to: bytes.count, by: 1 << 20) {
                try reader.append(bytes[start..<min(start + 1 << 20, bytes.count)])
                while try reader.next() != nil {}
            }
            try reader.finish()
        } catch { throw ToolFailure(.failed, "\(archive): \(error)") }
        return bytes
    }

    /// Refuses an archive that was verified and holds a secret key: who built it elsewhere may not have looked.
    static func refuseSecretKeys(in archive: [UInt8]) throws {
        try forEachFile(in: archive) { path, content throws(ToolFailure) in
            guard let form = SecretKeyScan.find(in: content) ?? SecretKeyScan.find(named: path) else {
                return
            }
            throw ToolFailure(
                .failed,
                "\(path.printable) in the release is or holds \(form): a release is handed out to everybody")
        }
    }

    /// Refuses an archive that was verified and brings a key that agents could never use: what it is meant to sign later
    /// would be refused everywhere.
    static func refuseUnfitKeys(in archive: [UInt8], at now: OpenPGP.Timestamp) throws {
        try forEachFile(in: archive) { path, content throws(ToolFailure) in
            guard path.hasPrefix("keys/"), path.hasSuffix(".asc") || path.hasSuffix(".gpg") else { return }
            try refuseUnfitKey(content, named: path, at: now)
        }
    }

    /// - Returns: the key.
    @discardableResult
    static func refuseUnfitKey(
        _ content: [UInt8], named file: String, at now: OpenPGP.Timestamp
    ) throws(ToolFailure) -> OpenPGP.Certificate {
        let certificate: OpenPGP.Certificate
        do throws(OpenPGP.Error) {
            certificate = try OpenPGP.Certificate(content)
        } catch { throw ToolFailure(.failed, "\(file.printable) is not a public key: \(error)") }
        switch certificate.fitness(at: now) {
        case .signs: return certificate
        case .notNow(let reason), .never(let reason):
            throw ToolFailure(
                .failed, "\(file.printable) cannot be trusted for anything: \(reason)")
        }
    }

    private static func forEachFile(
        in archive: [UInt8], _ body: (_ path: String, _ content: [UInt8]) throws(ToolFailure) -> Void
    ) throws {
        var reader = TarReader()
        reader.append(archive)
        var file: String?
        var content: [UInt8] = []
        while let event = try reader.next() {
            switch event {
            case .entry(let entry): (file, content) = (entry.path.text, [])
            case .content(let bytes): content += bytes
            case .fileEnd:
                if let path = file { try body(path, content) }
                (file, content) = (nil, [])
            }
        }
    }

    /// Verifies both signatures and every file.
    ///
    /// - Returns: the manifest, its bytes, and those of the archive: the ones that were verified.
    func verify(
        with verifier: OpenPGP.Verifier, at now: OpenPGP.Timestamp
    ) throws -> (manifest: Manifest, manifestBytes: [UInt8], archive: [UInt8]) {
        let bytes = try Files.read(manifest, limit: Manifest.sizeLimit)
        let statement = SignedStatement(
            bytes: bytes,
            signature: try Files.read(manifestSignature, limit: OpenPGP.Verifier.sizeLimit))
        let described: Manifest
        do {
            described = try statement.manifest(verifiedBy: verifier, at: now)
        } catch { throw ToolFailure(.failed, "\(manifest): \(error)") }
        let archive = try readArchive(described)
        let signature = try Files.read(archiveSignature, limit: OpenPGP.Verifier.sizeLimit)
        do {
            _ = try verifier.verifyRelease(signatures: signature, of: archive, for: .file, at: now)
        } catch { throw ToolFailure(.failed, "\(self.archive): the signature is not accepted: \(error)") }
        return (described, bytes, archive)
    }
}
