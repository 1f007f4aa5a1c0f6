import Glibc
import PDCrypto
import PDFiles

/// A regular file that is open for reading.
final class OpenFile {
    /// The path under which it was opened, for messages.
    let path: String
    /// Its size in bytes when it was opened.
    let size: Int
    /// Its permission bits, the special ones among them.
    let mode: Int
    /// When its content, mode or owner was changed last, in milliseconds since 1970-01-01 UTC.
    let changedAt: Int64
    /// Its descriptor, closed with this object.
    let descriptor: Int32

    /// Takes a descriptor over, which is closed in any case.
    init(_ descriptor: Int32, path: String) throws(FileError) {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw FileError(operation: "use as a file", path: path, code: EINVAL)
        }
        self.descriptor = descriptor
        self.path = path
        size = Int(status.st_size)
        mode = Int(status.st_mode & 0o7777)
        changedAt = Int64(status.st_ctim.tv_sec) * 1000 + Int64(status.st_ctim.tv_nsec) / 1_000_000
    }

    deinit { close(descriptor) }

    /// Bytes from an offset on, none at the end.
    func piece(at offset: Int) throws(FileError) -> ArraySlice<UInt8> {
        var failure: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 17) { buffer, count in
            let result = retryingInterrupts {
                pread(descriptor, buffer.baseAddress, buffer.count, off_t(offset))
            }
            if result < 0 { failure = errno }
            count = max(0, result)
        }
        guard failure == 0 else { throw FileError(operation: "read", path: path, code: failure) }
        return bytes[...]
    }

    /// Bytes from an offset on; fewer only at the end.
    func bytes(at offset: Int, count: Int) throws(FileError) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        while bytes.count < count {
            let piece = try piece(at: offset + bytes.count)
            guard !piece.isEmpty else { break }
            bytes += piece.prefix(count - bytes.count)
        }
        return bytes
    }

    /// SHA-256 of the content, and its size.
    func digest() throws(FileError) -> (digest: [UInt8], size: Int) {
        var digest = SHA256()
        var size = 0
        while true {
            let piece = try piece(at: size)
            guard !piece.isEmpty else { return (digest.finalize(), size) }
            digest.update(piece)
            size += piece.count
        }
    }

    /// The whole content, of at most `limit` bytes.
    func content(limit: Int) throws(FileError) -> [UInt8] {
        var content: [UInt8] = []
        while true {
            let piece = try piece(at: content.count)
            guard !piece.isEmpty else { return content }
            content += piece
            guard content.count <= limit else { throw FileError(operation: "read", path: path, code: EFBIG) }
        }
    }
}
