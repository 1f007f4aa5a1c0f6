import Foundation
import PDCrypto
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
        let bytes = try File.read(manifest, limit: Manifest.sizeLimit)
        do {
            return (bytes, try Manifest(json: bytes))
        } catch { throw ToolFailure(.failed, "\(manifest) is no manifest: \(error)") }
    }

    /// Reads the archive once, holding it against the manifest, and gives its bytes.
    func readArchive(_ manifest: Manifest) throws -> [UInt8] {
        let bytes = try File.read(archive, limit: manifest.archive.size)
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

    /// Verifies both signatures and every file.
    ///
    /// - Returns: the manifest, its bytes, and those of the archive: the ones that were verified.
    func verify(
        with verifier: OpenPGP.Verifier, at now: OpenPGP.Timestamp
    ) throws -> (manifest: Manifest, manifestBytes: [UInt8], archive: [UInt8]) {
        let bytes = try File.read(manifest, limit: Manifest.sizeLimit)
        let statement = SignedStatement(
            bytes: bytes,
            signature: try File.read(manifestSignature, limit: OpenPGP.Verifier.sizeLimit))
        let described: Manifest
        do {
            described = try statement.manifest(verifiedBy: verifier, at: now)
        } catch { throw ToolFailure(.failed, "\(manifest): \(error)") }
        let archive = try readArchive(described)
        let signature = try File.read(archiveSignature, limit: OpenPGP.Verifier.sizeLimit)
        do {
            _ = try verifier.verifyRelease(signatures: signature, of: archive, at: now)
        } catch { throw ToolFailure(.failed, "\(self.archive): the signature is not accepted: \(error)") }
        return (described, bytes, archive)
    }
}

/// Files by system calls, each error with the file's name.
enum File {
    static func read(_ path: String, limit: Int) throws(ToolFailure) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY)
        guard descriptor >= 0 else { throw failure("open", path) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        try readAll(descriptor, path) { piece throws(ToolFailure) in
            guard bytes.count + piece.count <= limit else {
                throw ToolFailure(.failed, "\(path) has more than \(limit) bytes")
            }
            bytes += piece
        }
        return bytes
    }

    /// Lends the rest of a file piece by piece.
    static func readAll(
        _ descriptor: Int32, _ path: String, _ use: (ArraySlice<UInt8>) throws(ToolFailure) -> Void
    ) throws(ToolFailure) {
        var buffer = [UInt8](repeating: 0, count: 1 << 18)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", path) }
            if count == 0 { return }
            try use(buffer[..<count])
        }
    }

    static func failure(_ verb: String, _ path: String) -> ToolFailure {
        ToolFailure(.failed, "cannot \(verb) \(Table.printable(path)): \(String(cString: strerror(errno)))")
    }

    /// Puts a file in place: the old content or the new, never half, and on disk when this returns.
    static func replace(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o644) throws(ToolFailure) {
        let file = try NewFile(path, mode: mode)
        try file.write(bytes)
        try file.commit()
    }

    /// Makes a file that was not there, for its owner alone unless stated.
    static func create(_ path: String, _ bytes: [UInt8], mode: mode_t = 0o600) throws(ToolFailure) {
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("create", path) }
        defer { close(descriptor) }
        try write(bytes, to: descriptor, path)
        guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else { throw failure("write", path) }
    }

    static func write(_ bytes: some Collection<UInt8>, to descriptor: Int32, _ path: String)
        throws(ToolFailure)
    {
        let bytes = Array(bytes)
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("write", path) }
            written += count
        }
    }
}

/// A file that takes the place of another when it is whole, and leaves nothing behind where it does not get there.
final class NewFile {
    private let path: String
    private let temporary: String
    private let descriptor: Int32
    private var isInPlace = false

    init(_ path: String, mode: mode_t) throws(ToolFailure) {
        self.path = path
        let url = URL(filePath: path)
        temporary = url.deletingLastPathComponent().path + "/.\(url.lastPathComponent).\(getpid())"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw File.failure("create", path) }
        guard fchmod(descriptor, mode) == 0 else { throw File.failure("create", path) }
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        if descriptor >= 0, !isInPlace { unlink(temporary) }
    }

    func write(_ bytes: some Collection<UInt8>) throws(ToolFailure) {
        try File.write(bytes, to: descriptor, path)
    }

    func commit() throws(ToolFailure) {
        guard fsync(descriptor) == 0, rename(temporary, path) == 0 else { throw File.failure("write", path) }
        isInPlace = true
        let directory = open(
            URL(filePath: path).deletingLastPathComponent().path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw File.failure("write", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw File.failure("write", path) }
    }
}
