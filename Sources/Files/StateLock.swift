import Glibc

/// The right to change a state directory, or a part of one. One process has it at a time; it ends with this object, or
/// with the process, however that ends.
public final class StateLock: Sendable {
    private let descriptor: Int32

    /// Takes the lock.
    ///
    /// - Parameters:
    ///   - path: the file that stands for it, made where it is not there.
    ///   - isShared: whether others may have it at the same time that share it as well.
    ///   - patience: how long to wait for another process to let go.
    /// - Throws: ``FileError`` with `EWOULDBLOCK` where another process has it.
    public init(_ path: String, isShared: Bool = false, patience: Duration = .zero) throws(FileError) {
        descriptor = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        let end = ContinuousClock.now + patience
        while flock(descriptor, (isShared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
            let code = errno
            // `deinit` closes the file.
            guard code == EWOULDBLOCK, ContinuousClock.now < end else {
                throw FileError(operation: "lock", path: path, code: code)
            }
            usleep(20_000)
        }
    }

    deinit {
        // Closing alone would leave the lock with a child that is just being started and has not let go yet.
        _ = flock(descriptor, LOCK_UN)
        close(descriptor)
    }
}
