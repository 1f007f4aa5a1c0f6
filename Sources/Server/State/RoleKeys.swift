import Foundation
import PDCrypto
import Synchronization

/// The public keys that may sign for one purpose: the `.asc` and `.gpg` files of a directory, one key a file.
///
/// The directory is looked at again when its time of change moves, at most once a second, so that a key that is added
/// or removed takes effect without a restart.
public final class RoleKeys: Sendable {
    /// The directory.
    public let directory: URL
    private let cache: Mutex<Cache>

    private struct Cache {
        var verifier: OpenPGP.Verifier
        var certificates: [OpenPGP.Certificate]
        var stamp: Stamp
        var checked: ContinuousClock.Instant
    }

    private struct Stamp: Equatable {
        let seconds: Int
        let nanoseconds: Int
    }

    /// Reads the directory.
    ///
    /// - Throws: ``StateError`` that names the file that is no key.
    public init(directory: URL) throws(StateError) {
        self.directory = directory
        let stamp = try Self.stamp(directory)
        let certificates = try Self.load(directory)
        cache = Mutex(
            Cache(
                verifier: OpenPGP.Verifier(certificates: certificates), certificates: certificates,
                stamp: stamp,
                checked: .now))
    }

    /// The keys as they are now.
    public var certificates: [OpenPGP.Certificate] { current().certificates }

    /// What verifies signatures by these keys, as they are now.
    public var verifier: OpenPGP.Verifier { current().verifier }

    private func current() -> Cache {
        cache.withLock { cache in
            guard cache.checked.duration(to: .now) >= .seconds(1) else { return cache }
            cache.checked = .now
            // A directory that cannot be read for a moment, or holds a file that is half written, leaves the keys that
            // were there in force; the next look is a second away.
            guard let stamp = try? Self.stamp(directory), stamp != cache.stamp,
                let certificates = try? Self.load(directory)
            else { return cache }
            cache.stamp = stamp
            cache.certificates = certificates
            cache.verifier = OpenPGP.Verifier(certificates: certificates)
            return cache
        }
    }

    /// Puts a key where it is read. Adding one that is there replaces its file.
    ///
    /// - Returns: the file.
    public static func add(_ certificate: OpenPGP.Certificate, to directory: URL) throws(StateError) -> URL {
        try PrivateFiles.makeDirectory(directory)
        let file = directory.appending(path: "\(certificate.fingerprint).pub.asc")
        try PrivateFiles.write(Array(certificate.armored().utf8), to: file)
        return file
    }

    private static func load(_ directory: URL) throws(StateError) -> [OpenPGP.Certificate] {
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory.path)
        } catch {
            throw StateError("cannot read the keys in \(directory.path)")
        }
        var certificates: [OpenPGP.Certificate] = []
        for name in names.sorted()
        where !name.hasPrefix(".") && (name.hasSuffix(".asc") || name.hasSuffix(".gpg")) {
            let file = directory.appending(path: name)
            let bytes = try PrivateFiles.read(file, limit: 1 << 20)
            do {
                certificates.append(try OpenPGP.Certificate(bytes))
            } catch {
                throw StateError("\(file.path) is not a public key: \(error)")
            }
        }
        return certificates
    }

    private static func stamp(_ directory: URL) throws(StateError) -> Stamp {
        var info = stat()
        guard stat(directory.path, &info) == 0 else {
            throw StateError("cannot read the keys in \(directory.path): \(String(cString: strerror(errno)))")
        }
        return Stamp(seconds: info.st_mtim.tv_sec, nanoseconds: info.st_mtim.tv_nsec)
    }
}
