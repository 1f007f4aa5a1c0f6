import Foundation
import PDFiles
import PDSecrets

/// The files of a server's state, which only its owner may read. Errors are lines for people.
///
/// Root calls none of these that writes but within `OwnedDirectory.perform`: the server could not read what is root's,
/// and who has broken into it could lead root elsewhere.
package enum PrivateFiles {
    /// Makes a directory of mode 0700, and those above it where they are missing. One that exists is left as it is.
    package static func makeDirectory(_ url: URL) throws(StateError) {
        guard !Files.exists(url.path) else { return }
        try stating { () throws(FileError) in try Files.makePrivateDirectory(url.path) }
    }

    /// Writes a file of that mode so that a reader sees the old content or the new, and makes it durable.
    package static func write(_ bytes: [UInt8], to url: URL, mode: mode_t = 0o600) throws(StateError) {
        try stating { () throws(FileError) in try Files.writeAtomically(bytes, to: url.path, mode: mode) }
    }

    /// Writes a secret, as ``write(_:to:mode:)`` does.
    package static func write(_ secret: SecretBytes, to url: URL) throws(StateError) {
        try stating { () throws(FileError) in try Files.writeAtomically(secret, to: url.path) }
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

    /// Reads a whole file that holds a key, a password or a token.
    package static func readSecret(_ url: URL, limit: Int = 1 << 20) throws(StateError) -> SecretBytes {
        try stating { () throws(FileError) in try Files.readSecret(url.path, limit: limit) }
    }

    /// Takes the right to change a state's settings and keys: whoever reads, changes and writes them has it meanwhile.
    ///
    /// - Parameter patience: how long to wait for another process to let go.
    package static func lock(
        _ state: ServerState, patience: Duration = .seconds(30)
    ) throws(StateError) -> StateLock {
        do throws(FileError) {
            return try StateLock(state.lock.path, patience: patience)
        } catch {
            guard error.code == EWOULDBLOCK else { throw StateError("\(error)") }
            throw StateError("another program has been changing \(state.directory.path): try again later")
        }
    }

    /// Removes what a crash left of ``write(_:to:mode:)``. Only for whoever alone writes there now.
    static func removeTemporaries(in directory: URL) throws(StateError) {
        _ = try stating { () throws(FileError) in try Files.removeTemporaries(in: directory.path) }
    }

    private static func stating<Result>(_ body: () throws(FileError) -> Result) throws(StateError) -> Result {
        do throws(FileError) { return try body() } catch { throw StateError("\(error)") }
    }
}
