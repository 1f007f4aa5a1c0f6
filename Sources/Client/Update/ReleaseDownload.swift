import Glibc
import PDCrypto
import PDFiles
import PDProtocol

/// Brings an archive to disk, going on where an earlier attempt stopped. Never more than the manifest says is written.
struct ReleaseDownload {
    let folder: ReleaseFolder
    let manifest: Manifest

    private var name: String { "\(manifest.number).part" }
    private var path: String { "\(folder.path)/\(name)" }

    /// - Returns: the archive, whose size and digest are the manifest's.
    func run(_ source: any ReleaseSource) async throws(ReleaseError) -> OpenFile {
        // A link, a pipe or a directory in its place is no beginning of it.
        if folder.directory.kind(name) != .file { try discard() }
        // Without O_NONBLOCK a pipe that is put there in between would hold us up.
        let flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC
        let file = open(path, flags, 0o600)
        guard file >= 0 else { throw .file(FileError(operation: "create", path: path, code: errno)) }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0 else {
            throw .file(FileError(operation: "look at", path: path, code: errno))
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw .file(FileError(operation: "use as a file", path: path, code: EINVAL))
        }
        var size = Int(status.st_size)
        if size > manifest.archive.size {
            // No beginning of this archive.
            guard ftruncate(file, 0) == 0 else {
                throw .file(FileError(operation: "write", path: path, code: errno))
            }
            size = 0
        }
        while size < manifest.archive.size {
            let piece = try await source.piece(of: manifest.number, at: size)
            guard !piece.isEmpty else { throw .notReached("the archive ends after \(size) bytes") }
            guard piece.count <= manifest.archive.size - size else {
                try discard()
                throw .archive(.tooLong)
            }
            try append(piece, to: file)
            size += piece.count
        }
        guard fsync(file) == 0 else { throw .file(FileError(operation: "write", path: path, code: errno)) }
        return try verified()
    }

    private func append(_ piece: [UInt8], to file: Int32) throws(ReleaseError) {
        var written = 0
        while written < piece.count {
            let count = piece.withUnsafeBytes { bytes in
                retryingInterrupts {
                    write(file, bytes.baseAddress.map { $0 + written }, bytes.count - written)
                }
            }
            guard count > 0 else { throw .file(FileError(operation: "write", path: path, code: errno)) }
            written += count
        }
    }

    private func verified() throws(ReleaseError) -> OpenFile {
        let (archive, digest): (OpenFile, [UInt8])
        do {
            archive = try folder.directory.open(RelativePath(name))
            digest = try archive.digest().digest
        } catch let error as FileError {
            throw .file(error)
        } catch { throw .archive(.otherArchive) }
        guard archive.size == manifest.archive.size, digest == manifest.archive.digest else {
            try discard()
            throw .archive(.otherArchive)
        }
        return archive
    }

    /// What is wrong once must not be gone on with.
    private func discard() throws(ReleaseError) {
        do throws(FileError) {
            try folder.directory.remove(name)
        } catch { throw .file(error) }
    }
}
