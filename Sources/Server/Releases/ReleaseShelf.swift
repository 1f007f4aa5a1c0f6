import Foundation
import Logging
import NIOCore
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
final class ReleaseShelf: Sendable {
    /// A release's message as a JSON string, ready to be sent.
    struct Message: Sendable {
        let number: Int64
        let quoted: ByteBuffer
    }

    /// The largest message that is handed out: what an agent is ready to read.
    static let maximumMessageBytes = 256 << 20

    let directory: URL
    private let logger: Logger?
    private let cache = Mutex(Cache())

    private struct Cache {
        /// The last message that was read, since all hosts ask for the same one.
        var message: (Message, of: ReleaseFile.Version)?
        /// The archives whose content has been looked through, as they were then.
        var harmless: [Int64: ReleaseFile.Version] = [:]
    }

    init(directory: URL, logger: Logger? = nil) {
        self.directory = directory
        self.logger = logger
    }

    /// The numbers of the releases that have a file with that ending, the newest last.
    func numbers(with ending: String) throws(StateError) -> [Int64] {
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

    /// The newest release's message, where it is newer than `old`.
    func newestMessage(after old: Int64) throws(StateError) -> Message? {
        guard let newest = try numbers(with: ".tar.asc").last, newest > old else { return nil }
        guard let file = try ReleaseFile(directory: directory, name: "\(newest).tar.asc") else { return nil }
        if let (message, version) = cache.withLock({ $0.message }), message.number == newest,
            version == file.version
        {
            return message
        }
        guard file.size <= Self.maximumMessageBytes else {
            throw StateError("release \(newest) is larger than \(Self.maximumMessageBytes) bytes")
        }
        let text = try file.read(at: 0, count: file.size)
        guard let quoted = V1.UpdateAnswer.quoted(message: text) else {
            throw StateError("release \(newest): \(newest).tar.asc is not an ASCII-armored message")
        }
        let message = Message(number: newest, quoted: ByteBuffer(bytes: quoted))
        cache.withLock { $0.message = (message, file.version) }
        return message
    }

    /// The newest release's archive.
    func newestArchive() throws(StateError) -> (number: Int64, file: ReleaseFile)? {
        guard let newest = try numbers(with: ".tar").last,
            let file = try archive(newest)
        else { return nil }
        return (newest, file)
    }

    /// A release's archive, once it is known that no secret key is in it.
    func archive(_ number: Int64) throws(StateError) -> ReleaseFile? {
        guard let file = try ReleaseFile(directory: directory, name: "\(number).tar") else { return nil }
        if cache.withLock({ $0.harmless[number] }) != file.version {
            try ArchiveInspection(file: file, number: number).refuseSecretKeys()
            cache.withLock { $0.harmless[number] = file.version }
        }
        return file
    }
}
