import Foundation
import PDFiles

/// The files of a server's state, which only its owner may read. Errors are lines for people.
public enum PrivateFiles {
    /// Makes a directory of mode 0700, and those above it where they are missing. One that exists is left as it is.
    public static func makeDirectory(_ url: URL) throws(StateError) {
        guard !Files.exists(url.path) else { return }
        try stating { () throws(FileError) in try Files.makePrivateDirectory(url.path) }
    }

    /// Writes a file of that mode so that a reader sees the old content or the new, and makes it durable.
    public static func write(_ bytes: [UInt8], to url: URL, mode: mode_t = 0o600) throws(StateError) {
        try stating { () throws(FileError) in try Files.writeAtomically(bytes, to: url.path, mode: mode) }
    }

    /// Reads a whole file of at most `limit` bytes.
    public static func read(_ url: URL, limit: Int = 16 << 20) throws(StateError) -> [UInt8] {
        try stating { () throws(FileError) in try Files.read(url.path, limit: limit) }
    }

    private static func stating<Result>(_ body: () throws(FileError) -> Result) throws(StateError) -> Result {
        do throws(FileError) { return try body() } catch { throw StateError("\(error)") }
    }
}
