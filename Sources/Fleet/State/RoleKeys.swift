import Foundation
import Logging
import PDBasics
import PDCrypto
import Synchronization

/// The public keys that may sign for one purpose: the `.asc` and `.gpg` files of a directory, one key a file.
///
/// The files are looked at again at most once a second, so that a key that is added, changed or removed takes effect
/// without a restart. A file that cannot be read as a key trusts nobody, keeps none of the others from being removed,
/// and is told in the log.
package final class RoleKeys: Sendable {
    /// The directory.
    package let directory: URL
    private let logger: Logger?
    private let clock: SteadyClock
    private let cache: Mutex<Cache>

    private struct Cache {
        var verifier: OpenPGP.Verifier
        /// The files as they were read, with their keys; nothing where a file holds none.
        var files: [(file: File, certificate: OpenPGP.Certificate?)]
        var checked: ContinuousClock.Instant
        /// Whether some thread looks at the files now.
        var isReading = false
    }

    /// What tells one state of a file from another.
    private struct File: Equatable {
        let name: String
        let inode: UInt
        let size: Int
        let changedSeconds: Int
        let changedNanoseconds: Int
    }

    /// Reads the directory.
    ///
    /// - Parameters:
    ///   - directory: where the files are.
    ///   - clock: decides when to look at the files again.
    ///   - logger: gets a line for each file that becomes unreadable later.
    /// - Throws: ``StateError`` that names the file that is no key.
    package init(
        directory: URL, clock: @escaping SteadyClock = { .now }, logger: Logger? = nil
    ) throws(StateError) {
        self.directory = directory
        self.clock = clock
        self.logger = logger
        let files = try Self.files(in: directory).map { file throws(StateError) in
            (file: file, certificate: Optional(try Self.load(directory.appending(path: file.name))))
        }
        let verifier = OpenPGP.Verifier(certificates: files.compactMap(\.certificate))
        cache = Mutex(Cache(verifier: verifier, files: files, checked: clock()))
    }

    /// The keys as they are now.
    package var certificates: [OpenPGP.Certificate] { verifier.certificates }

    /// What verifies signatures by these keys, as they are now.
    ///
    /// Whoever finds the files changed reads them outside of the lock: the others go on with the keys from before, however
    /// long that takes.
    package var verifier: OpenPGP.Verifier {
        let now = clock()
        let (current, known) = cache.withLock { cache in
            guard !cache.isReading, cache.checked.duration(to: now) >= .seconds(1) else {
                return (cache.verifier, nil as [(file: File, certificate: OpenPGP.Certificate?)]?)
            }
            cache.checked = now
            cache.isReading = true
            return (cache.verifier, cache.files)
        }
        guard let known else { return current }
        let found = changes(since: known)
        return cache.withLock { cache in
            cache.isReading = false
            guard let found else { return cache.verifier }
            cache.files = found
            cache.verifier = OpenPGP.Verifier(certificates: found.compactMap(\.certificate))
            return cache.verifier
        }
    }

    /// The files as they are now, of which only those that changed are read; nothing where none has.
    private func changes(
        since known: [(file: File, certificate: OpenPGP.Certificate?)]
    ) -> [(file: File, certificate: OpenPGP.Certificate?)]? {
        let files: [File]
        do {
            files = try Self.files(in: directory)
        } catch {
            // Without the directory nobody is trusted.
            if !known.isEmpty { logger?.error("\(error)") }
            files = []
        }
        guard files != known.map(\.file) else { return nil }
        return files.map { file in
            if let same = known.first(where: { $0.file == file }) { return same }
            do {
                return (file, try Self.load(directory.appending(path: file.name)))
            } catch {
                logger?.error("\(error); it is not trusted")
                return (file, nil)
            }
        }
    }

    /// Puts a key where it is read. What is known about it from before stays known: a copy without its revocation does
    /// not make it good again, nor an old one its end an earlier one.
    ///
    /// - Parameter places: other directories that may know something about it.
    /// - Returns: the key with all that is known about it.
    @discardableResult
    package static func add(
        _ certificate: OpenPGP.Certificate, to directory: URL, knownIn places: [URL] = []
    ) throws(StateError) -> OpenPGP.Certificate {
        try PrivateFiles.makeDirectory(directory)
        let merged = try merging(certificate, knownIn: places + [directory])
        let file = directory.appending(path: "\(certificate.fingerprint).pub.asc")
        try PrivateFiles.write(Array(merged.armored().utf8), to: file)
        return merged
    }

    /// A key with all that some directories know about it.
    static func merging(
        _ certificate: OpenPGP.Certificate, knownIn places: [URL]
    ) throws(StateError) -> OpenPGP.Certificate {
        var merged = certificate
        for place in places {
            for copy in try copies(of: certificate.fingerprint, in: place) {
                do {
                    merged = try merged.merging(copy.certificate)
                } catch {
                    throw StateError("cannot add to what \(copy.file.path) says: \(error)")
                }
            }
        }
        return merged
    }

    /// A file of a directory of keys.
    package struct KeyFile: Sendable {
        /// The file.
        package let file: URL
        /// Its key, or why it has none.
        package let certificate: Result<OpenPGP.Certificate, StateError>
    }

    /// All files that are read as keys; none where there is no such directory.
    package static func keyFiles(in directory: URL) throws(StateError) -> [KeyFile] {
        guard FileManager.default.fileExists(atPath: directory.path) else { return [] }
        var keys: [KeyFile] = []
        for file in try files(in: directory) {
            let url = directory.appending(path: file.name)
            keys.append(KeyFile(file: url, certificate: Result { () throws(StateError) in try load(url) }))
        }
        return keys
    }

    /// The files of a directory that hold a key. A file that is no key is not one of them.
    package static func copies(
        of fingerprint: OpenPGP.Fingerprint, in directory: URL
    ) throws(StateError) -> [(file: URL, certificate: OpenPGP.Certificate)] {
        var copies: [(file: URL, certificate: OpenPGP.Certificate)] = []
        for key in try keyFiles(in: directory) {
            guard case .success(let certificate) = key.certificate, certificate.fingerprint == fingerprint
            else { continue }
            copies.append((key.file, certificate))
        }
        return copies
    }

    /// Takes a key away, in whatever files it is.
    ///
    /// - Returns: the files that are gone; none where the key was not there.
    package static func remove(
        _ fingerprint: OpenPGP.Fingerprint, from directory: URL
    ) throws(StateError) -> [URL] {
        var removed: [URL] = []
        for (file, _) in try copies(of: fingerprint, in: directory) {
            guard unlink(file.path) == 0 else {
                throw StateError("cannot remove \(file.path): \(String(cString: strerror(errno)))")
            }
            removed.append(file)
        }
        return removed
    }

    private static func load(_ file: URL) throws(StateError) -> OpenPGP.Certificate {
        let bytes = try PrivateFiles.read(file, limit: OpenPGP.Certificate.sizeLimit)
        do {
            return try OpenPGP.Certificate(bytes)
        } catch {
            throw StateError("\(file.path) is not a public key: \(error)")
        }
    }

    private static func files(in directory: URL) throws(StateError) -> [File] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            throw StateError("cannot read the keys in \(directory.path)")
        }
        var files: [File] = []
        for name in names.sorted()
        where !name.hasPrefix(".") && (name.hasSuffix(".asc") || name.hasSuffix(".gpg")) {
            var info = stat()
            let path = directory.appending(path: name).path
            // A file that went away since the directory was listed is gone.
            guard stat(path, &info) == 0 else { continue }
            files.append(
                File(
                    name: name, inode: UInt(info.st_ino), size: Int(info.st_size),
                    changedSeconds: info.st_ctim.tv_sec, changedNanoseconds: info.st_ctim.tv_nsec))
        }
        return files
    }
}
