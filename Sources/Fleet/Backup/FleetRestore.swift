import Foundation
import PDFiles
import PDProtocol
import PDSecrets
import PDStore

/// Puts a backup in the place of all that a state directory has.
///
/// Everything is written beside what is there, to `restoring/new`, and checked: until then nothing has changed, and what
/// was written is thrown away. Then the file `restoring/ready` comes in place, by one rename(2), and from there on
/// whoever opens the state finishes the work first, however often that is interrupted: what was there goes to
/// `restoring/old`, what is new comes in its place, and in the end `restoring/old` becomes `replaced`.
package struct FleetRestore {
    private let state: ServerState
    private let locks: (StateLock, StateLock)
    private var names: Set<String> = []

    /// What the backup says of itself.
    package let description: BackupDescription
    /// What should be known, but was no reason to stop.
    package private(set) var notes: [String] = []

    /// Reads a backup and writes it beside what is there.
    ///
    /// - Parameters:
    ///   - state: where it will come.
    ///   - descriptor: the backup.
    ///   - path: what errors call it.
    ///   - keepsDatabase: whether the database is to be a file of the state, whatever the settings of the backup say.
    ///   - passphrase: asked for where it is sealed.
    ///   - progress: called with the bytes read so far.
    /// - Throws: ``StateError`` where a server uses the state, or the backup is not as it was written.
    package init(
        _ state: ServerState, from descriptor: Int32, path: String, keepsDatabase: Bool = false,
        passphrase: () throws -> SecretBytes, progress: (Int) -> Void = { _ in }
    ) async throws {
        self.state = state
        try PrivateFiles.makeDirectory(state.directory)
        locks = (try PrivateFiles.lock(state), try state.lockOutServers())
        try state.finishRestoration()
        try state.discardRestoration()
        try PrivateFiles.makeDirectory(state.restoring)
        let stage = state.restoring.appending(path: "new")
        try PrivateFiles.makeDirectory(stage)
        do {
            let input = try BackupInput(descriptor, path: path, passphrase: passphrase)
            let reader = BackupArchiveReader(input)
            var description: BackupDescription?
            while let member = try reader.next() {
                progress(input.consumed)
                if member.path.text == BackupArchive.description {
                    var json: [UInt8] = []
                    try reader.content(of: member) { json += $0.prefix(BackupDescription.sizeLimit) }
                    description = try BackupDescription(json: json)
                } else {
                    try Self.write(member, of: reader, in: stage)
                }
            }
            guard let description, Files.exists(stage.appending(path: "server.yml").path),
                Files.exists(stage.appending(path: "fleet.sqlite").path)
            else { throw input.damage("it lacks what every backup has") }
            self.description = description
            notes = try await Self.prepare(
                ServerState(directory: stage), keepsDatabase: keepsDatabase, at: description.madeAt)
            names = Set(try Files.names(in: stage.path))
        } catch {
            // The first error is the one to tell.
            try? state.discardRestoration()
            throw error
        }
    }

    /// What is there and would be replaced.
    package var replaces: Bool {
        get throws {
            try Files.names(in: state.directory.path).contains { !state.isTransient($0) }
        }
    }

    /// Throws away what was written.
    package func cancel() throws { try state.discardRestoration() }

    /// Puts it in place.
    package func commit() throws {
        // Before the name that makes it count, and not while it may yet turn out to be damaged.
        try Files.synchronize(tree: state.restoring.path)
        try PrivateFiles.write(
            Array(names.sorted().joined(separator: "\n").utf8), to: state.restoring.appending(path: "ready"))
        try state.finishRestoration()
    }

    private static func write(
        _ member: BackupArchiveReader.Member, of reader: BackupArchiveReader, in stage: URL
    ) throws {
        let file = stage.appending(path: member.path.text)
        try PrivateFiles.makeDirectory(file.deletingLastPathComponent())
        let descriptor = open(file.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw FileError(operation: "write", path: file.path, code: errno) }
        defer { close(descriptor) }
        try reader.content(of: member) { try Files.writeAll($0, to: descriptor, path: file.path) }
        guard fchmod(descriptor, mode_t(member.mode)) == 0 else {
            throw FileError(operation: "write", path: file.path, code: errno)
        }
    }

    /// Checks what was written as a server would, and fills a MongoDB database where the settings name one.
    private static func prepare(
        _ stage: ServerState, keepsDatabase: Bool, at now: Int64
    ) async throws -> [String] {
        if keepsDatabase {
            var file = try SettingsFile(stage.settingsFile)
            try file.keepDatabaseInState()
            try file.save()
        }
        let text = String(decoding: try PrivateFiles.read(stage.settingsFile), as: UTF8.self)
        let settings = try ServerSettings(yaml: text, file: "server.yml of the backup")
        let database = try await StoreLocation.sqlite(path: stage.database.path).open()
        var notes: [String] = []
        do {
            notes += try await database.check().map { "the database is restored as it was backed up: \($0)" }
            if case .mongo(let mongo) = Fleet.database(of: settings, in: stage) {
                let target = try await StoreLocation.mongo(mongo).open()
                do {
                    _ = try await FleetCopy(from: database, to: target).run(at: now)
                    try await target.close()
                } catch {
                    // The first error is the one to tell.
                    try? await target.close()
                    throw error
                }
            }
            try await database.close()
        } catch {
            // The first error is the one to tell.
            try? await database.close()
            throw error
        }
        if case .mongo = Fleet.database(of: settings, in: stage) {
            SQLiteStore.removeDatabase(stage.database.path)
        }
        return notes
    }
}

extension ServerState {
    /// Keeps servers from starting.
    ///
    /// - Throws: ``StateError`` where one runs.
    func lockOutServers() throws(StateError) -> StateLock {
        do throws(FileError) { return try StateLock(serving.path) } catch {
            guard error.code == EWOULDBLOCK else { throw StateError("\(error)") }
            throw StateError("a server works in \(directory.path): stop it first")
        }
    }

    /// Says that a server runs here, for as long as the result is held; nothing where the disk cannot be written.
    ///
    /// - Throws: ``StateError`` while a backup is restored.
    package func beginServing() throws -> StateLock? {
        try finishInterruptedRestoration()
        do throws(FileError) { return try StateLock(serving.path, isShared: true) } catch {
            switch error.code {
            case EWOULDBLOCK:
                throw StateError("a backup is being restored into \(directory.path): wait for it")
            case EROFS, ENOSPC: return nil
            // Whether there is a server at all is told by whoever reads its settings.
            case ENOENT: return nil
            default: throw StateError("\(error)")
            }
        }
    }

    /// Whether a restoration was interrupted after it had begun to replace what is there.
    package var isHalfRestored: Bool { Files.exists(restoring.appending(path: "ready").path) }

    /// Finishes a restoration that was interrupted, if there is one. To be called with the state's lock held.
    func finishRestoration() throws {
        let ready = restoring.appending(path: "ready")
        guard Files.exists(ready.path) else { return }
        let names = String(decoding: try PrivateFiles.read(ready), as: UTF8.self).split(separator: "\n")
            .map(String.init)
        let (new, old) = (restoring.appending(path: "new"), restoring.appending(path: "old"))
        try PrivateFiles.makeDirectory(old)
        for name in try Files.names(in: directory.path) where !isKept(name) {
            // What is no longer among the new has come in place already.
            guard !names.contains(name) || Files.exists(new.appending(path: name).path) else { continue }
            try Files.rename(directory.appending(path: name).path, to: old.appending(path: name).path)
        }
        for name in names where Files.exists(new.appending(path: name).path) {
            try Files.rename(new.appending(path: name).path, to: directory.appending(path: name).path)
        }
        if try !Files.names(in: old.path).isEmpty {
            try Self.removeTree(replaced)
            try Files.rename(old.path, to: replaced.path)
        }
        try Files.remove(ready.path)
        try discardRestoration()
    }

    /// Finishes a restoration that was interrupted, unless another program is doing so.
    package func finishInterruptedRestoration() throws {
        guard isHalfRestored else { return }
        let lock = try PrivateFiles.lock(self)
        try withExtendedLifetime(lock) { try finishRestoration() }
    }

    /// Throws away what a restoration wrote that never came to replace anything.
    func discardRestoration() throws { try Self.removeTree(restoring) }

    /// What a restoration leaves alone: locks are held by their files, and other things are nobody's.
    private func isKept(_ name: String) -> Bool {
        [lock, serving, restoring, replaced].map(\.lastPathComponent).contains(name)
    }

    private static func removeTree(_ url: URL) throws(StateError) {
        guard Files.exists(url.path) else { return }
        do { try FileManager.default.removeItem(at: url) } catch {
            throw StateError("cannot remove \(url.path): \(error.localizedDescription)")
        }
    }
}
