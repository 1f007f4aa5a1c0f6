import Foundation
import PDCrypto
import PDTestSupport
import Testing

@testable import PDFleet

@Suite("The keys that may sign")
struct RoleKeysTests {
    private func withDirectory(_ body: (URL) throws -> Void) throws {
        let directory = FileManager.default.temporaryDirectory.appending(path: "pd-keys-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        try PrivateFiles.makeDirectory(directory)
        try body(directory)
    }

    private let clock = TestClock()

    private func key() throws -> OpenPGP.Certificate {
        try OpenPGP.SecretKey.generate(userID: "k", at: .now(), validity: nil).certificate
    }

    @Test("a key that is removed is trusted no longer, also where another file has become unreadable")
    func removedBesideABadFile() throws {
        try withDirectory { directory in
            let (kept, removed) = (try key(), try key())
            try RoleKeys.add(kept, to: directory)
            try RoleKeys.add(removed, to: directory)
            let log = CapturedLog()
            let keys = try RoleKeys(directory: directory, clock: { clock.now }, logger: log.logger)
            #expect(keys.certificates.count == 2)
            try PrivateFiles.write(Array("garbage".utf8), to: directory.appending(path: "zz.asc"))
            #expect(try RoleKeys.remove(removed.fingerprint, from: directory).count == 1)
            clock.advance(by: .seconds(1))
            #expect(keys.certificates.map(\.fingerprint) == [kept.fingerprint])
            #expect(log.lines.count { $0.contains("zz.asc") } == 1)
        }
    }

    @Test("a file that is overwritten in place counts as it is now")
    func overwritten() throws {
        try withDirectory { directory in
            let (old, new) = (try key(), try key())
            try RoleKeys.add(old, to: directory)
            let file = directory.appending(path: "\(old.fingerprint).pub.asc")
            let keys = try RoleKeys(directory: directory, clock: { clock.now })
            #expect(keys.certificates.map(\.fingerprint) == [old.fingerprint])
            try Data(new.armored().utf8).write(to: file)
            clock.advance(by: .seconds(1))
            #expect(keys.certificates.map(\.fingerprint) == [new.fingerprint])
        }
    }

    @Test("without its directory nobody is trusted")
    func directoryGone() throws {
        try withDirectory { directory in
            try RoleKeys.add(try key(), to: directory)
            let keys = try RoleKeys(directory: directory, clock: { clock.now })
            try FileManager.default.removeItem(at: directory)
            clock.advance(by: .seconds(1))
            #expect(keys.certificates.isEmpty)
        }
    }

    @Test("a file that is no key is named when the server starts, and an unknown key cannot be removed")
    func badAtStart() throws {
        try withDirectory { directory in
            try PrivateFiles.write(Array("garbage".utf8), to: directory.appending(path: "bad.asc"))
            #expect { try RoleKeys(directory: directory) } throws: { "\($0)".contains("bad.asc") }
            #expect(try RoleKeys.remove(try key().fingerprint, from: directory).isEmpty)
        }
    }
}
