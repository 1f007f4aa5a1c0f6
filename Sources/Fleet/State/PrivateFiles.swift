import Foundation
import PDFiles

/// The files of a server's state, which only its owner may read. Errors are lines for people.
///
/// Where root writes into the state of a server that runs as another user, the file belongs to that user: else the
/// server could not read what an administrator has just set.
package enum PrivateFiles {
    /// Makes a directory of mode 0700, and those above it where they are missing. One that exists is left as it is.
    package static func makeDirectory(_ url: URL) throws(StateError) {
        guard !Files.exists(url.path) else { return }
        try stating { () throws(FileError) in try Files.makePrivateDirectory(url.path) }
        try adopt(url)
    }

    /// Writes a file of that mode so that a reader sees the old content or the new, and makes it durable.
    package static func write(_ bytes: [UInt8], to url: URL, mode: mode_t = 0o600) throws(StateError) {
        try stating { () throws(FileError) in try Files.writeAtomically(bytes, to: url.path, mode: mode) }
        try adopt(url)
    }

    /// Writes a file that is there already, with the mode that it has.
    package static func replace(_ bytes: [UInt8], at url: URL) throws(StateError) {
        var info = stat()
        let mode = stat(url.path, &info) == 0 ? info.st_mode & 0o777 : 0o600
        try write(bytes, to: url, mode: mode)
    }

    /// Writes a file that is there already and may be anywhere: it keeps its mode, owner and group, and where a link leads
    /// to it, the link stays. Only for what the caller has found to be the file that it means.
    static func replaceFollowingLinks(_ bytes: [UInt8], at url: URL) throws(StateError) {
        try stating { () throws(FileError) in try Files.replaceAtomically(bytes, at: url.path) }
    }

    /// Reads a whole file of at most `limit` bytes.
    package static func read(_ url: URL, limit: Int = 16 << 20) throws(StateError) -> [UInt8] {
        try stating { () throws(FileError) in try Files.read(url.path, limit: limit) }
    }

    /// Takes the right to change a state's settings and keys: whoever reads, changes and writes them has it meanwhile.
    ///
    /// - Parameter patience: how long to wait for another process to let go.
    package static func lock(
        _ state: ServerState, patience: Duration = .seconds(30)
    ) throws(StateError) -> StateLock {
        let wasThere = Files.exists(state.lock.path)
        let lock: StateLock
        do throws(FileError) {
            lock = try StateLock(state.lock.path, patience: patience)
        } catch {
            guard error.code == EWOULDBLOCK else { throw StateError("\(error)") }
            throw StateError("another program has been changing \(state.directory.path): try again later")
        }
        if !wasThere { try adopt(state.lock) }
        return lock
    }

    /// Removes what a crash left of ``write(_:to:mode:)``. Only for whoever alone writes there now.
    static func removeTemporaries(in directory: URL) throws(StateError) {
        _ = try stating { () throws(FileError) in try Files.removeTemporaries(in: directory.path) }
    }

    /// Gives all that is in a directory to its owner: what libraries made for root, or what came back from a backup. Does
    /// nothing but for root.
    package static func adoptAll(in directory: URL) throws(StateError) {
        var info = stat()
        guard geteuid() == 0, stat(directory.path, &info) == 0, info.st_uid != 0 else { return }
        let owner = FileOwner(info)
        try stating { () throws(FileError) in try owner.adoptTree(directory.path, lent: ["server.yml"]) }
    }

    /// Gives what root made to the owner of the directory that it is in.
    private static func adopt(_ url: URL) throws(StateError) {
        guard geteuid() == 0 else { return }
        var directory = stat()
        guard stat(url.deletingLastPathComponent().path, &directory) == 0, directory.st_uid != 0 else {
            return
        }
        guard lchown(url.path, directory.st_uid, directory.st_gid) == 0 else {
            throw StateError("cannot change the owner of \(url.path): \(systemMessage(errno))")
        }
    }

    private static func stating<Result>(_ body: () throws(FileError) -> Result) throws(StateError) -> Result {
        do throws(FileError) { return try body() } catch { throw StateError("\(error)") }
    }
}
