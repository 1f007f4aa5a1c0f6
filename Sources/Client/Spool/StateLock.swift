import Glibc
import PDFiles

/// The right to change an agent's state directory. One process has it at a time; it ends with this object, or with the
/// process, however that ends.
public final class StateLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock, without waiting.
    ///
    /// - Throws: ``FileError`` with `EWOULDBLOCK` where another process has it.
    public init(_ path: String) throws(FileError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            // `deinit` closes the file.
            throw FileError(operation: "lock", path: path, code: errno)
        }
    }

    deinit {
        // Closing alone would leave the lock with a child that is just being started and has not let go yet.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
