import Glibc
import PDSecrets
import PDShamir

/// A file that is read and never changed, or bytes that stand for one.
package final class InputFile {
    /// What to call it in messages.
    package let name: String
    /// Bytes of a regular file; nil for pipes and the like.
    package let size: Int?
    private let descriptor: Int32
    /// What stands for the file, and how much of it was read.
    private let bytes: [UInt8]
    private var position = 0

    /// Bytes that are no secret, as if they were in a file.
    package init(_ bytes: [UInt8], name: String) {
        descriptor = -1
        self.bytes = bytes
        self.name = name
        size = bytes.count
    }

    /// - Parameters:
    ///   - path: `-` is standard input.
    ///   - bytes: the path as the system has it, where that may not be UTF-8.
    package init(_ path: String, opening bytes: [CChar]? = nil) throws(ToolError) {
        self.bytes = []
        if path == "-" {
            descriptor = dup(STDIN_FILENO)
            name = "standard input"
        } else {
            descriptor = open(bytes ?? Array(path.utf8CString), O_RDONLY | O_CLOEXEC | O_NOCTTY)
            name = path
        }
        guard descriptor >= 0 else { throw ToolError("cannot open", path, errno: errno) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            let code = errno
            close(descriptor)
            throw ToolError("cannot read", path, errno: code)
        }
        guard status.st_mode & S_IFMT != S_IFDIR else {
            close(descriptor)
            throw ToolError("cannot read", path, errno: EISDIR)
        }
        size = status.st_mode & S_IFMT == S_IFREG ? Int(status.st_size) : nil
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Reads until the buffer is full or the file ends.
    ///
    /// - Returns: the number of bytes read; fewer than the buffer holds only at the end.
    package func read(into buffer: UnsafeMutableRawBufferPointer) throws(ToolError) -> Int {
        if descriptor < 0 {
            let part = bytes[position..<min(position + buffer.count, bytes.count)]
            buffer.copyBytes(from: part)
            position += part.count
            return part.count
        }
        var count = 0
        while count < buffer.count {
            let result = Glibc.read(descriptor, buffer.baseAddress?.advanced(by: count), buffer.count - count)
            if result == 0 { break }
            if result < 0 {
                if errno == EINTR { continue }
                throw ToolError("cannot read", name, errno: errno)
            }
            count += result
        }
        return count
    }

    /// The next bytes, up to `count`.
    package func start(bytes count: Int) throws(ToolError) -> SecretBytes {
        var buffer = SecretBytes(count: count)
        let filled = try buffer.withUnsafeMutableBytes { buffer throws(ToolError) in try read(into: buffer) }
        return buffer.withUnsafeBytes {
            SecretBytes(copying: $0[..<filled])
        }
    }

    /// Goes back to the start of a regular file.
    package func rewind() throws(ToolError) {
        position = 0
        guard descriptor >= 0 else { return }
        guard lseek(descriptor, 0, SEEK_SET) >= 0 else {
            throw ToolError("cannot read again", name, errno: errno)
        }
    }

    /// The whole file, or nil where it has more than `limit` bytes.
    package func readAll(limit: Int) throws(ToolError) -> SecretBytes? {
        var buffer = SecretBytes(count: min(size ?? limit, limit) + 1)
        let count = try buffer.withUnsafeMutableBytes { buffer throws(ToolError) in try read(into: buffer) }
        guard count <= limit else { return nil }
        // A file that grew meanwhile would be cut off silently.
        guard count < buffer.count else {
            throw ToolError("\(Printable.path(name)) changed while it was read: try again")
        }
        return buffer.withUnsafeBytes { SecretBytes(copying: $0[..<count]) }
    }
}
