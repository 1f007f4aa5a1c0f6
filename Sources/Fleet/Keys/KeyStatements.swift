import Foundation
import PDCrypto
import PDFiles
import PDProtocol
import Synchronization

/// What a server has said of its keys, in files of its state: `N.json`, with the signature in `N.json.sig`. They are
/// signed by `pd-admin`; the server only hands them out.
package final class KeyStatements: Sendable {
    /// One of them.
    package struct Entry: Sendable {
        package let statement: KeyStatement
        package let signed: SignedStatement
    }

    private struct Cache {
        var entries: [Entry]
        var names: [String]
    }

    private let directory: URL
    private let cache = Mutex<Cache?>(nil)

    package init(directory: URL) {
        self.directory = directory
    }

    /// All of them by serial number. One that is there does not change, and is read once.
    ///
    /// - Throws: ``StateError`` that names the file that is none.
    package func entries() throws(StateError) -> [Entry] {
        let names = try Self.names(in: directory)
        if let known = cache.withLock({ $0 }), known.names == names { return known.entries }
        let entries = try names.map { name throws(StateError) in try read(name) }
        cache.withLock { $0 = Cache(entries: entries, names: names) }
        return entries
    }

    /// Puts one there. Only for whoever holds the state's lock.
    package func add(_ entry: Entry) throws(StateError) {
        try PrivateFiles.makeDirectory(directory)
        let file = directory.appending(path: "\(entry.statement.serial).json")
        // In this order: one without a signature is not there yet.
        try PrivateFiles.write(entry.signed.bytes, to: file)
        try PrivateFiles.write(entry.signed.signature, to: file.appendingPathExtension("sig"))
    }

    private func read(_ name: String) throws(StateError) -> Entry {
        let file = directory.appending(path: name)
        let signed = SignedStatement(
            bytes: try PrivateFiles.read(file, limit: KeyStatement.sizeLimit),
            signature: try PrivateFiles.read(
                file.appendingPathExtension("sig"), limit: OpenPGP.Verifier.sizeLimit))
        do {
            return Entry(statement: try KeyStatement(json: signed.bytes), signed: signed)
        } catch { throw StateError("\(file.path) is no statement of keys: \(error)") }
    }

    /// The statements that have a signature, by serial number.
    private static func names(in directory: URL) throws(StateError) -> [String] {
        guard Files.exists(directory.path) else { return [] }
        let names: [String]
        do { names = try Files.names(in: directory.path) } catch { throw StateError("\(error)") }
        return names.compactMap { name -> (Int, String)? in
            guard name.hasSuffix(".json.sig"), let number = Int(name.dropLast(9)),
                name == "\(number).json.sig"
            else { return nil }
            return (number, "\(number).json")
        }.sorted { $0.0 < $1.0 }.map(\.1)
    }
}
