import Foundation
import Logging
import PDProtocol
import Synchronization

/// The releases that the server hands out: files in the state's directory `releases`, named by the release's number.
///
/// ```
/// N.tar            the files
/// N.tar.asc        the tar in a signed message, for agents of version 1
/// N.tar.sig        detached signature of the tar
/// N.manifest       what the release is, and what is in it
/// N.manifest.sig   detached signature of the manifest
/// ```
///
/// The server has no key to sign releases with, and never looks at what is in them beyond making sure that no secret
/// key is handed out: agents verify.
package final class ReleaseShelf: Sendable {
    /// The largest message that is handed out: what an agent is ready to read.
    static let maximumMessageBytes = 256 << 20

    package let directory: URL
    private let logger: Logger?
    private let cache = Mutex(Cache())

    private struct Cache {
        /// The archives whose content has been looked through, as they were then.
        var harmless: [Int64: ReleaseFile.Version] = [:]
    }

    package init(directory: URL, logger: Logger? = nil) {
        self.directory = directory
        self.logger = logger
    }

    /// The numbers of the releases that have a file with that ending, the newest last.
    package func numbers(with ending: String) throws(StateError) -> [Int64] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory.path) else {
            guard FileManager.default.fileExists(atPath: directory.path) else { return [] }
            throw StateError("cannot read the releases in \(directory.path)")
        }
        return names.compactMap { name in
            guard name.hasSuffix(ending) else { return nil }
            let text = name.dropLast(ending.count)
            guard let number = Int64(text), number > 0, text == "\(number)" else { return nil }
            return number
        }.sorted()
    }

    /// The newest release's signed message, where it is newer than `old`: for agents of version 1.
    package func newestMessage(after old: Int64) throws(StateError) -> (number: Int64, file: ReleaseFile)? {
        guard let newest = try numbers(with: ".tar.asc").last, newest > old,
            let file = try ReleaseFile(directory: directory, name: "\(newest).tar.asc")
        else { return nil }
        guard file.size <= Self.maximumMessageBytes else {
            throw StateError("release \(newest) is larger than \(Self.maximumMessageBytes) bytes")
        }
        return (newest, file)
    }

    /// The newest release's archive.
    package func newestArchive() throws(StateError) -> (number: Int64, file: ReleaseFile)? {
        guard let newest = try numbers(with: ".tar").last,
            let file = try archive(newest)
        else { return nil }
        return (newest, file)
    }

    /// A release's archive, once it is known that no secret key is in it.
    package func archive(_ number: Int64) throws(StateError) -> ReleaseFile? {
        guard let file = try ReleaseFile(directory: directory, name: "\(number).tar") else { return nil }
        if cache.withLock({ $0.harmless[number] }) != file.version {
            try ArchiveInspection(file: file, number: number).refuseSecretKeys()
            cache.withLock { $0.harmless[number] = file.version }
        }
        return file
    }
}
