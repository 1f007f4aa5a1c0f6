import Foundation
import Logging
import PDBasics
import PDCrypto
import PDProtocol
import PDSecrets
import PDStore
import Testing

@testable import PDFleet

@Suite("Keys are replaced on a server")
struct KeyRotationTests {
    private static let now = Moment(seconds: 1_750_000_000)
    private struct Cut: Error {}

    /// A machine with keys of its own.
    private struct Laptop {
        let name: Hostname
        let signing: Curve25519.Signing.PrivateKey
        let sealing: Curve25519.KeyAgreement.PrivateKey

        init(_ name: String) throws {
            self.name = try #require(Hostname(name))
            signing = try .init(random: SecureRandom(.sessionKey))
            sealing = try .init(random: SecureRandom(.sessionKey))
        }

        var keys: MachineKeys { MachineKeys(signing: signing.publicKey, sealing: sealing.publicKey) }
    }

    /// A server with the hosts `a`, `b` and `c`, which have reported, and its first keys.
    private struct Place {
        let fleet: Fleet
        let server: OpenPGP.SecretKey
        let client: OpenPGP.SecretKey

        var state: ServerState { fleet.state }
        var desk: KeyDesk { KeyDesk(store: fleet.store, state: state, logger: Logger(label: "test")) }
        var rotation: KeyRotation { KeyRotation(fleet, at: KeyRotationTests.now) }

        func advance(
            _ subject: Rotation.Subject, lost: [String] = [], since: Moment? = nil, isFinal: Bool = false
        ) async throws -> KeyRotation.Outcome {
            var rotation = rotation
            return try await rotation.advance(
                subject, lost: lost.map { try #require(Hostname($0)) }, since: since, isFinal: isFinal)
        }

        /// Asks as a machine, by the client key that is given, or by none.
        func ask(
            _ laptop: Laptop, as name: Hostname? = nil, by client: OpenPGP.Fingerprint?, serial: Int = 0,
            at time: Moment = KeyRotationTests.now
        ) async throws -> V2.KeysAnswer {
            let said = MachineStatement(
                hostname: name ?? laptop.name, keys: laptop.keys,
                serverKey: server.certificate.fingerprint, serial: serial,
                clientKey: client ?? self.client.certificate.fingerprint, made: time.seconds)
            return try await desk.answer(
                V2.KeysRequest(said, signedBy: laptop.signing), signedBy: client, from: "192.0.2.1",
                at: time.milliseconds)
        }

        var clientKey: OpenPGP.Fingerprint { client.certificate.fingerprint }

        func kitKey() throws -> OpenPGP.SecretKey {
            try OpenPGP.SecretKey(PrivateFiles.readSecret(state.clientSecretKey))
        }

        func isTrusted(_ key: OpenPGP.Fingerprint) throws -> Bool {
            try !RoleKeys.copies(of: key, in: state.clientKeys).isEmpty
        }
    }

    private func withPlace(_ body: (Place) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "pd-rotation-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let state = ServerState(directory: directory)
        _ = try ServerSetup(state: state, answers: .init(port: 8080, url: nil), now: .init(1_700_000_000))
            .run()
        let fleet = try await Fleet(state: state, makingStore: true)
        for name in ["a", "b", "c"] {
            let report = V1.Submission(
                hostname: try #require(Hostname(name)), collectedAt: nil, agent: "pd-agent 1",
                plugins: ["x": 1], commands: nil)
            _ = try await fleet.store.record(report, submittedAt: 1)
        }
        try await body(
            Place(
                fleet: fleet, server: OpenPGP.SecretKey(PrivateFiles.readSecret(state.serverSecretKey)),
                client: OpenPGP.SecretKey(PrivateFiles.readSecret(state.clientSecretKey))))
        try await fleet.store.close()
    }

    @Test("machines that are registered get the new client key, sealed; the old one goes when all have it")
    func client() async throws {
        try await withPlace { place in
            let laptops = try ["a", "b", "c"].map { try Laptop($0) }
            for laptop in laptops {
                let answer = try await place.ask(laptop, by: place.clientKey)
                #expect(answer == .init(standing: .registered, statements: [], clientKey: nil))
            }
            let begun = try await place.advance(.client)
            #expect(begun.progress.following.map(\.name) == ["a", "b", "c"])
            let new = try place.kitKey()
            #expect(try place.isTrusted(place.clientKey) && place.isTrusted(new.certificate.fingerprint))
            let uses = KeyUses(store: place.fleet.store, logger: Logger(label: "test"))
            for laptop in laptops {
                #expect(try await place.advance(.client).rotation != nil, "\(laptop.name) has the old one")
                let answer = try await place.ask(laptop, by: place.clientKey)
                let statement = try #require(answer.statements.first)
                    .keys(verifiedBy: place.server.certificate, at: .init(Self.now.seconds))
                #expect(statement.clientKey == new.certificate.fingerprint)
                #expect(statement.serverKey.fingerprint == place.server.certificate.fingerprint)
                let opened = try SealedClientKey.open(
                    #require(answer.clientKey), fingerprint: statement.clientKey, for: laptop.name,
                    with: laptop.sealing)
                #expect(opened == new.armored())
                let again = try await place.ask(laptop, by: statement.clientKey, serial: statement.serial)
                #expect(again.statements.isEmpty && again.clientKey == nil)
                await uses.note(laptop.name, statement.clientKey, at: 1)
            }
            let finished = try await place.advance(.client)
            #expect(finished.rotation == nil)
            #expect(try !place.isTrusted(place.clientKey))
            #expect(try !RoleKeys.copies(of: place.clientKey, in: place.state.retiredKeys).isEmpty)
        }
    }

    @Test(
        "p178: a lost laptop gets no key: under its name, another one, none, or with keys of its own making")
    func lost() async throws {
        try await withPlace { place in
            let (a, b, thief) = (try Laptop("a"), try Laptop("b"), try Laptop("a"))
            for laptop in [a, b] { _ = try await place.ask(laptop, by: place.clientKey) }
            _ = try await place.advance(.client, lost: ["a"])
            func nothing(_ laptop: Laptop, as name: String) async throws {
                let name = try #require(Hostname(name))
                do {
                    let answer = try await place.ask(laptop, as: name, by: place.clientKey)
                    #expect(answer.clientKey == nil && answer.standing != .registered, "\(name)")
                } catch KeyDesk.Refusal.lost {}
            }
            // `c` has not registered yet, and `new` has never reported.
            for name in ["a", "b", "c", "new"] {
                try await nothing(a, as: name)
                try await nothing(thief, as: name)
            }
            await #expect(throws: KeyDesk.Refusal.lost) { try await place.ask(a, by: place.clientKey) }
            await #expect(throws: KeyDesk.Refusal.unknown) { try await place.ask(thief, by: nil) }
            #expect(try await place.ask(b, by: place.clientKey).clientKey != nil)

            // The true `c` asks after the thief has: a person decides between the two.
            let c = try Laptop("c")
            #expect(try await place.ask(c, by: place.clientKey).standing == .waiting)
            let name = c.name
            await #expect(throws: FleetError.self) {
                try await place.fleet.approve(name, fingerprint: nil, at: 1)
            }
            let approved = try await place.fleet.approve(
                name, fingerprint: String(c.keys.fingerprint.prefix(9)), at: 1)
            #expect(approved == c.keys)
            #expect(try await place.ask(c, by: place.clientKey).clientKey != nil)
            try await nothing(thief, as: "c")

            // Found again and joined with the new kit, it waits for a person as well.
            let new = try place.kitKey().certificate.fingerprint
            #expect(try await place.ask(a, by: new).standing == .waiting)
            _ = try await place.fleet.approve(a.name, fingerprint: a.keys.fingerprint, at: 1)
            #expect(try await place.ask(a, by: new).standing == .registered)
        }
    }

    @Test("a machine that registered when the laptop may have been lost already has to be approved")
    func since() async throws {
        try await withPlace { place in
            let (early, late) = (try Laptop("b"), try Laptop("c"))
            _ = try await place.ask(early, by: place.clientKey)
            let hour = Moment(seconds: Self.now.seconds + 3600)
            _ = try await place.ask(late, by: place.clientKey, at: hour)
            let outcome = try await place.advance(.client, lost: ["a"], since: hour)
            #expect(outcome.progress.waiting.map(\.name) == ["c"])
            #expect(try await place.ask(late, by: place.clientKey).clientKey == nil)
            #expect(try await place.ask(early, by: place.clientKey).clientKey != nil)
        }
    }

    @Test("a laptop that is lost after it was sent the new key is left behind by one more")
    func lostLater() async throws {
        try await withPlace { place in
            let (a, b) = (try Laptop("a"), try Laptop("b"))
            for laptop in [a, b] { _ = try await place.ask(laptop, by: place.clientKey) }
            _ = try await place.advance(.client)
            let second = try place.kitKey().certificate.fingerprint
            #expect(try await place.ask(a, by: place.clientKey).clientKey != nil)
            let outcome = try await place.advance(.client, lost: ["a"])
            let third = try place.kitKey().certificate.fingerprint
            #expect(third != second)
            #expect(Set(outcome.rotation?.old ?? []) == [place.clientKey, second])
            await #expect(throws: KeyDesk.Refusal.lost) { try await place.ask(a, by: second) }
            let answer = try await place.ask(b, by: place.clientKey)
            #expect(answer.clientKey != nil && answer.statements.count == 1)
            _ = try await place.advance(.client, isFinal: true)
            #expect(try !place.isTrusted(second) && !place.isTrusted(place.clientKey))
            #expect(try place.isTrusted(third))
        }
    }

    @Test("a machine that was away until the old key was retired is known by its own")
    func returning() async throws {
        try await withPlace { place in
            let laptop = try Laptop("a")
            _ = try await place.ask(laptop, by: place.clientKey)
            _ = try await place.advance(.client)
            _ = try await place.advance(.client, isFinal: true)
            let answer = try await place.ask(laptop, by: nil)
            #expect(answer.standing == .registered && answer.clientKey != nil)
            let stranger = try Laptop("b")
            await #expect(throws: KeyDesk.Refusal.unknown) { try await place.ask(stranger, by: nil) }
        }
    }

    @Test(
        "the server's key leads to the next one, and its old secret half stays only while machines know no other"
    )
    func server() async throws {
        try await withPlace { place in
            let laptop = try Laptop("a")
            _ = try await place.ask(laptop, by: place.clientKey)
            _ = try await place.advance(.server)
            let new = try OpenPGP.SecretKey(PrivateFiles.readSecret(place.state.serverSecretKey))
            let old = place.server.certificate.fingerprint
            #expect(new.certificate.fingerprint != old)
            #expect(try place.state.checkServerKey() == nil)
            #expect(
                try PrivateFiles.read(place.state.serverPublicKey)
                    == PrivateFiles.read(place.state.agentKit.appending(path: "server.pub.asc")))
            let former = place.state.formerServerKeys.appending(path: "\(old).key.asc")
            #expect(FileManager.default.fileExists(atPath: former.path))
            let answer = try await place.ask(laptop, by: place.clientKey)
            let statement = try #require(answer.statements.first)
                .keys(verifiedBy: place.server.certificate, at: .init(Self.now.seconds))
            #expect(statement.serverKey.fingerprint == new.certificate.fingerprint)
            #expect(statement.clientKey == place.clientKey && answer.clientKey == nil)
            _ = try await place.advance(.server, isFinal: true)
            #expect(!FileManager.default.fileExists(atPath: former.path))
        }
    }

    @Test(
        "p179: a rotation that is cut off at any point goes on where it stopped",
        arguments: Rotation.Subject.allCases, [false, true])
    func cuts(subject: Rotation.Subject, isFinal: Bool) async throws {
        for cut in 1...20 {
            var wasCut = false
            try await withPlace { place in
                if subject == .certificate { try useTLS(place.state) }
                let laptop = try Laptop("a")
                _ = try await place.ask(laptop, by: place.clientKey)
                if isFinal { _ = try await place.advance(subject) }
                var rotation = place.rotation
                var left = cut
                rotation.checkpoint = {
                    left -= 1
                    if left == 0 {
                        wasCut = true
                        throw Cut()
                    }
                }
                do {
                    _ = try await rotation.advance(subject, isFinal: isFinal)
                } catch is Cut {}
                // Every machine can still go on with what it has, or with what is new.
                _ = try await place.ask(laptop, by: place.clientKey)
                if wasCut { _ = try await place.advance(subject, isFinal: isFinal) }
                try await check(place, laptop, subject, isFinal: isFinal)
            }
            guard wasCut else { return }
        }
        Issue.record("more than 20 steps")
    }

    private func check(
        _ place: Place, _ laptop: Laptop, _ subject: Rotation.Subject, isFinal: Bool
    ) async throws {
        let rotation = try await place.fleet.store.rotation(subject)
        #expect((rotation == nil) == isFinal)
        let names = try FileManager.default.contentsOfDirectory(atPath: place.state.keys.path)
        #expect(!names.contains { $0.contains("next") })
        #expect(try place.state.checkServerKey() == nil)
        let answer = try await place.ask(laptop, by: nil)
        let key = try #require(answer.statements.first)
            .keys(verifiedBy: place.server.certificate, at: .init(Self.now.seconds))
        let kitKey = try place.kitKey().certificate.fingerprint
        #expect(key.clientKey == kitKey)
        #expect(try place.isTrusted(kitKey) && answer.clientKey != nil)
        let own = try OpenPGP.Certificate(PrivateFiles.read(place.state.serverPublicKey)).fingerprint
        #expect(key.serverKey.fingerprint == own)
        switch subject {
        case .client:
            #expect(kitKey != place.clientKey)
            #expect(try place.isTrusted(place.clientKey) != isFinal)
            // No key was made and forgotten.
            #expect(try RoleKeys.keyFiles(in: place.state.clientKeys).count == (isFinal ? 1 : 2))
        case .server: #expect(own != place.server.certificate.fingerprint)
        case .certificate:
            let tls = place.state.directory.appending(path: "tls")
            let offered = try PrivateFiles.read(place.state.agentKit.appending(path: "server.crt"))
            #expect(key.authority == offered)
            let served = try CertificateFile(tls.appending(path: "p.crt"))
            try served.check(key: tls.appending(path: "p.key"))
            #expect(
                String(decoding: offered, as: UTF8.self).contains(String(decoding: served.pem, as: UTF8.self))
            )
            #expect((offered == served.pem) == isFinal)
        }
    }

    private func useTLS(_ state: ServerState) throws {
        let tls = state.directory.appending(path: "tls")
        let made = try SelfSignedCertificate(host: "localhost", days: 30)
        try made.write(certificate: tls.appending(path: "p.crt"), key: tls.appending(path: "p.key"))
        try PrivateFiles.write(
            Array("port: 8080\nssl: {enabled: true, certificate: tls/p.crt, key: tls/p.key}\n".utf8),
            to: state.settingsFile)
        let kit = state.agentKit
        try PrivateFiles.write(
            try CertificateFile(tls.appending(path: "p.crt")).pem, to: kit.appending(path: "server.crt"))
        try PrivateFiles.write(
            Array("server_url: https://localhost:8080\nssl: {ca_path: server.crt}\n".utf8),
            to: kit.appending(path: "agent.yml"))
    }

    @Test("what was announced is not handed out once the kit has another certificate")
    func otherCertificate() async throws {
        try await withPlace { place in
            try useTLS(place.state)
            let laptop = try Laptop("a")
            _ = try await place.ask(laptop, by: place.clientKey)
            _ = try await place.advance(.certificate)
            #expect(try await place.ask(laptop, by: place.clientKey).statements.count == 1)
            let other = try SelfSignedCertificate(host: "localhost", days: 30)
            try PrivateFiles.write(
                other.certificate, to: place.state.agentKit.appending(path: "server.crt"))
            #expect(try await place.ask(laptop, by: place.clientKey).statements.isEmpty)
        }
    }

    @Test("after a backup was restored, what is announced counts as later than what machines have followed")
    func restored() async throws {
        try await withPlace { place in
            let laptop = try Laptop("a")
            for serial in [0, 41] { _ = try await place.ask(laptop, by: place.clientKey, serial: serial) }
            let outcome = try await place.advance(.client)
            #expect(outcome.rotation?.serial == 42)
            #expect(try await place.ask(laptop, by: place.clientKey, serial: 41).statements.count == 1)
        }
    }

    @Test("a rotation without the server's secret key changes nothing, and says what is missing")
    func secretElsewhere() async throws {
        try await withPlace { place in
            try FileManager.default.removeItem(at: place.state.serverSecretKey)
            for subject in [Rotation.Subject.client, .server] {
                await #expect(throws: FleetError.self) { try await place.advance(subject) }
            }
            #expect(try place.kitKey().certificate.fingerprint == place.clientKey)
            #expect(try RoleKeys.keyFiles(in: place.state.clientKeys).count == 1)
        }
    }
}
