import Foundation
import GRDB

extension SQLiteStore {
    /// Writes a copy of the database as it is at one moment, while it is used. The copy is a database of its own, which
    /// ``open(path:settings:)`` opens.
    ///
    /// - Parameter target: a file that does not exist. It gets mode 0600, and is there only when it is whole and on
    ///   disk.
    public func backup(to target: String) async throws(StoreError) {
        try await use {
            // Not in a transaction, which VACUUM refuses; it takes one state by itself.
            try await pool.unsafeRead { db in
                // A log of an earlier file of that name would be played back onto this one.
                for suffix in ["", "-wal"] where FileManager.default.fileExists(atPath: target + suffix) {
                    throw StoreError.conflict("\(target + suffix) exists already")
                }
                let partial = target + ".partial"
                try Self.check(Glibc.unlink(partial) == 0 || errno == ENOENT, partial)
                let file = Glibc.open(partial, O_CREAT | O_EXCL | O_CLOEXEC | O_RDWR, 0o600)
                try Self.check(file >= 0, partial)
                defer { Glibc.close(file) }
                do {
                    try db.execute(sql: "VACUUM INTO ?", arguments: [partial])
                    try Self.check(fsync(file) == 0, partial)
                    // Unlike rename(2), link(2) does not replace what came there meanwhile.
                    try Self.check(link(partial, target) == 0, target)
                } catch {
                    Glibc.unlink(partial)
                    throw error
                }
                try Self.check(Glibc.unlink(partial) == 0, partial)
                try Self.syncDirectory(of: target)
            }
        }
    }

    private static func check(_ isFine: Bool, _ path: String) throws {
        guard isFine else {
            throw StoreError.unavailable(reason: "\(path): \(String(cString: strerror(errno)))")
        }
    }

    private static func syncDirectory(of path: String) throws {
        let directory = URL(fileURLWithPath: path).deletingLastPathComponent().path
        let descriptor = Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        try check(descriptor >= 0, directory)
        defer { Glibc.close(descriptor) }
        try check(fsync(descriptor) == 0, directory)
    }
}
