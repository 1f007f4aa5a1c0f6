import Foundation

/// Files that only their owner may read, written so that a reader sees the old content or the new, never half.
public enum PrivateFiles {
    /// Makes a directory of mode 0700, and those above it where they are missing. One that exists is left as it is.
    public static func makeDirectory(_ url: URL) throws(StateError) {
        do {
            try FileManager.default.createDirectory(
                at: url, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw StateError("cannot make the directory \(url.path): \(reason(error))")
        }
    }

    /// Writes a file of that mode and makes it durable: temporary file, `fsync`, rename, `fsync` of the directory.
    public static func write(_ bytes: [UInt8], to url: URL, mode: mode_t = 0o600) throws(StateError) {
        let directory = url.deletingLastPathComponent().path
        let temporary = directory + "/.\(url.lastPathComponent).\(getpid()).\(UInt32.random(in: 0 ... .max))"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode)
        guard descriptor >= 0 else { throw failure("write", url) }
        var written = 0
        while written < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.write(descriptor, $0.baseAddress.map { $0 + written }, bytes.count - written)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        let complete = written == bytes.count && fchmod(descriptor, mode) == 0 && fsync(descriptor) == 0
        let error = complete ? nil : failure("write", url)
        close(descriptor)
        if let error {
            unlink(temporary)
            throw error
        }
        guard rename(temporary, url.path) == 0 else {
            let error = failure("write", url)
            unlink(temporary)
            throw error
        }
        let parent = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard parent >= 0 else { throw failure("open", url.deletingLastPathComponent()) }
        defer { close(parent) }
        guard fsync(parent) == 0 else { throw failure("write", url.deletingLastPathComponent()) }
    }

    /// Reads a whole file of at most `limit` bytes.
    public static func read(_ url: URL, limit: Int = 16 << 20) throws(StateError) -> [UInt8] {
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("read", url) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0 && errno == EINTR { continue }
            guard count >= 0 else { throw failure("read", url) }
            if count == 0 { return bytes }
            bytes += buffer[0..<count]
            guard bytes.count <= limit else { throw StateError("\(url.path) is larger than \(limit) bytes") }
        }
    }

    private static func failure(_ verb: String, _ url: URL) -> StateError {
        StateError("cannot \(verb) \(url.path): \(String(cString: strerror(errno)))")
    }

    private static func reason(_ error: any Error) -> String {
        let underlying = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError
        if let underlying, underlying.domain == NSPOSIXErrorDomain {
            return String(cString: strerror(Int32(underlying.code)))
        }
        return error.localizedDescription
    }
}
