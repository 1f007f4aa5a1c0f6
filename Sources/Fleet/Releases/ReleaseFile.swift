import Foundation

/// A file of a release that has been opened, and so stays what it is while it is read.
package final class ReleaseFile: Sendable {
    /// What tells one state of a file from another.
    package struct Version: Equatable, Sendable {
        let inode: UInt
        let size: Int
        let modified: [Int]
        let changed: [Int]
    }

    /// Its size, in bytes.
    package let size: Int
    /// What it was when it was opened.
    package let version: Version
    private let descriptor: Int32

    /// Opens a regular file of that name in a directory, and no link of either kind: whoever may put names into the
    /// directory must not make the server hand out what lies elsewhere.
    ///
    /// - Returns: nothing where there is no such file.
    /// - Throws: ``StateError`` that says what is wrong with it.
    package init?(directory: URL, name: String) throws(StateError) {
        let path = directory.appending(path: name).path
        let descriptor = Glibc.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            guard errno != ENOENT else { return nil }
            throw StateError("cannot read \(path): \(String(cString: strerror(errno)))")
        }
        self.descriptor = descriptor
        var info = stat()
        guard fstat(descriptor, &info) == 0, info.st_mode & S_IFMT == S_IFREG, info.st_nlink == 1 else {
            size = 0
            version = Version(inode: 0, size: 0, modified: [], changed: [])
            throw StateError("\(path) is not a plain file with one name: it is not handed out")
        }
        size = Int(info.st_size)
        version = Version(
            inode: UInt(info.st_ino), size: size, modified: [info.st_mtim.tv_sec, info.st_mtim.tv_nsec],
            changed: [info.st_ctim.tv_sec, info.st_ctim.tv_nsec])
    }

    deinit {
        close(descriptor)
    }

    /// Up to `count` bytes from an offset; fewer only at the end.
    package func read(at offset: Int, count: Int) throws(StateError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        var filled = 0
        while filled < count {
            let got = bytes.withUnsafeMutableBytes {
                pread(descriptor, $0.baseAddress.map { $0 + filled }, count - filled, off_t(offset + filled))
            }
            if got < 0 && errno == EINTR { continue }
            guard got >= 0 else {
                throw StateError("cannot read a release: \(String(cString: strerror(errno)))")
            }
            guard got > 0 else { break }
            filled += got
        }
        bytes.removeLast(count - filled)
        return bytes
    }
}
