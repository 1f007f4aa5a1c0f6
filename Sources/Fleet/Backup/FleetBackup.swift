import Foundation
import PDBasics
import PDCrypto
import PDFiles
import PDProtocol
import PDSecrets
import PDStore

/// Writes all that a server is into one file: the database as an SQLite file whatever it is, settings, checks, keys,
/// certificates, releases, and the kit of the agents.
///
/// A server may work meanwhile. Its database is copied as it is at one moment (MongoDB: host by host), and settings, keys
/// and releases do not change while the state's lock is held.
package struct FleetBackup {
    private let fleet: Fleet

    /// A backup of an opened fleet.
    package init(_ fleet: Fleet) { self.fleet = fleet }

    private var state: ServerState { fleet.state }
    private static let copyPrefix = "backup-"

    /// Writes it.
    ///
    /// - Parameters:
    ///   - descriptor: an empty file.
    ///   - path: what errors call it.
    ///   - passphrase: what to seal it with, if with anything.
    ///   - now: the clock, in milliseconds since 1970-01-01 UTC.
    ///   - progress: called with the bytes written so far and about how many there will be.
    /// - Returns: what was written.
    package func write(
        to descriptor: Int32, path: String, passphrase: SecretBytes?, at now: Int64,
        progress: @escaping (_ done: Int, _ total: Int) -> Void = { _, _ in }
    ) async throws -> BackupDescription {
        let lock = try PrivateFiles.lock(state)
        defer { withExtendedLifetime(lock) {} }
        // What a killed one left: the lock says that no other is at work.
        for name in try Files.names(in: state.directory.path) where name.hasPrefix(Self.copyPrefix) {
            try Files.remove(state.directory.appending(path: name).path)
        }
        let copy = state.directory.appending(path: "\(Self.copyPrefix)\(UUID().uuidString).part").path
        defer { SQLiteStore.removeDatabase(copy) }
        let hosts = try await copyDatabase(to: copy, at: now)
        let settings = try PortableSettings(state, fleet.settings)
        let files = try files(leavingOut: settings)
        let total = (files.map(\.file) + [copy]).reduce(0) { $0 + (Files.size($1) ?? 0) }

        let output = try BackupOutput(
            descriptor, path: path, passphrase: passphrase, random: SecureRandom(.nonce))
        let writer = BackupArchiveWriter(output) { progress($0, max($0, total)) }
        let description = BackupDescription(madeAt: now, version: BuildStamp.version, hosts: hosts)
        try writer.add(
            RelativePath(BackupArchive.description), mode: 0o600,
            content: Array((description.document.json(pretty: true) + "\n").utf8))
        try writer.add(RelativePath("server.yml"), mode: 0o600, content: Array(settings.yaml.utf8))
        try writer.add(RelativePath("fleet.sqlite"), file: copy)
        for (name, file) in files { try writer.add(relative(name), file: file) }
        for (name, file) in settings.foreignFiles { try writer.add(relative(name), file: file.path) }
        try writer.finish()
        return description
    }

    private func relative(_ name: String) throws -> RelativePath {
        do throws(PathError) { return try RelativePath(name) } catch {
            throw StateError("\(state.directory.path)/\(name) cannot be backed up: \(error)")
        }
    }

    /// - Returns: how many hosts it has.
    private func copyDatabase(to path: String, at now: Int64) async throws -> Int {
        if let store = fleet.store as? SQLiteStore {
            try await store.backup(to: path)
            return try await store.hostIDs().count
        }
        let copy = try await StoreLocation.sqlite(path: path).open(mustExist: false)
        do {
            let receipt = try await FleetCopy(from: fleet.store, to: copy).run(at: now)
            try await copy.close()
            return receipt.hosts
        } catch {
            // The first error is the one to tell.
            try? await copy.close()
            throw error
        }
    }

    /// The other files of the state, by their paths in it.
    private func files(leavingOut settings: PortableSettings) throws -> [(name: String, file: String)] {
        let logs = fleet.settings.logging.destinations.compactMap { destination -> String? in
            guard case .file(let path, _, _) = destination.place else { return nil }
            return URL(filePath: path).standardizedFileURL.path
        }
        var left: Set<String> = ["server.yml", "fleet.sqlite", state.settingsFile.standardizedFileURL.path]
        if case .sqlite(let path) = Fleet.database(of: fleet.settings, in: state) {
            left.insert(URL(filePath: path).standardizedFileURL.path)
        }
        left.formUnion(logs)
        let root = state.directory.standardizedFileURL.path
        var found: [(name: String, file: String)] = []
        // Links are followed, for releases on another disk; a ring of them ends.
        var seen: Set<[UInt]> = []
        func walk(_ name: String) throws {
            let file = "\(root)/\(name)"
            guard !left.contains(name), !left.contains(file), !state.isTransient(name),
                // What belongs to a database or a log that is left out: `-wal`, `.1`.
                !left.contains(where: { file.hasPrefix($0 + "-") || file.hasPrefix($0 + ".") })
            else { return }
            var info = stat()
            guard stat(file, &info) == 0 else {
                throw FileError(operation: "look at", path: file, code: errno)
            }
            switch info.st_mode & S_IFMT {
            case S_IFDIR:
                guard seen.insert([UInt(info.st_dev), UInt(info.st_ino)]).inserted else { return }
                for entry in try Files.names(in: file) { try walk("\(name)/\(entry)") }
            case S_IFREG: found.append((name, file))
            // Sockets and pipes have no content.
            default: break
            }
        }
        for name in try Files.names(in: root) { try walk(name) }
        return found
    }
}

extension ServerState {
    /// Whether a path in the state stands for something that means nothing on another machine or after a restart: locks,
    /// what is being written, what a restoration has replaced.
    func isTransient(_ name: String) -> Bool {
        [lock, serving, restoring, replaced].map(\.lastPathComponent).contains(name)
            || [Files.temporarySuffix, ".part", ".partial"].contains { name.hasSuffix($0) }
            || ["fleet.sqlite-wal", "fleet.sqlite-shm", "fleet.sqlite-journal"].contains(name)
    }
}
