import Foundation
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import PDSecrets
import PDTestSupport
import Synchronization
import Testing

@testable import PDClient

@Suite("An agent follows what its server says of keys, and nothing else")
struct KeyFollowerTests {
    private static let now: Int64 = 1_750_000_000_000
    private struct Cut: Error {}

    /// A server that answers as it is told, from keys that it has.
    private final class Server: RequestTransport, ReportTransport {
        let answer: @Sendable (V2.KeysRequest) throws -> V2.KeysAnswer
        let bodies = Mutex<[V1.Envelope]>([])
        let submitStatus: @Sendable (V1.Envelope) -> Int

        init(
            submitStatus: @escaping @Sendable (V1.Envelope) -> Int = { _ in 200 },
            _ answer: @escaping @Sendable (V2.KeysRequest) throws -> V2.KeysAnswer
        ) {
            self.answer = answer
            self.submitStatus = submitStatus
        }

        private func envelope(_ body: [UInt8]) throws -> V1.Envelope {
            try V1.Envelope(body: body, contentType: "application/x-www-form-urlencoded")
        }

        func request(_ path: String, _ body: [UInt8], limit: Int) async throws(TransportError)
            -> TransportAnswer
        {
            do {
                let request = try V2.KeysRequest(json: envelope(body).data)
                return TransportAnswer(status: 200, body: try answer(request).json())
            } catch { throw TransportError("\(error)") }
        }

        func post(_ body: [UInt8]) async throws(TransportError) -> Int {
            do {
                let envelope = try envelope(body)
                bodies.withLock { $0.append(envelope) }
                return submitStatus(envelope)
            } catch { throw TransportError("\(error)") }
        }

        func close() async {}
    }

    /// A member of a fleet, and all keys that its server ever has.
    private struct Place {
        let directory: TemporaryDirectory
        let servers: [OpenPGP.SecretKey]
        let clients: [OpenPGP.SecretKey]

        init() throws {
            directory = try TemporaryDirectory()
            servers = try (0..<3).map {
                try .generate(userID: "server \($0)", at: .init(1_700_000_000), validity: nil)
            }
            clients = try (0..<3).map {
                try .generate(userID: "client \($0)", at: .init(1_700_000_000), validity: nil)
            }
            try directory.write(
                "server_url: https://h:1\nhostname: h\nssl: {ca_path: server.crt}\n", to: "/kit/agent.yml")
            try directory.write(
                String(decoding: clients[0].armored().withUnsafeBytes { Array($0) }, as: UTF8.self),
                to: "/kit/client.key.asc")
            try directory.write(servers[0].certificate.armored(), to: "/kit/server.pub.asc")
            try directory.write("OLD PEM\n", to: "/kit/server.crt")
            _ = try Membership.join(kit: directory.path + "/kit", state: state, log: LogLines().logger())
        }

        var state: StateDirectory { StateDirectory(directory.path + "/state") }

        func follower() throws -> KeyFollower {
            KeyFollower(
                state: state, hostname: try #require(Hostname("h")), now: KeyFollowerTests.now,
                log: LogLines().logger())
        }

        func signer() throws -> OpenPGPSigner {
            try OpenPGPSigner(Files.readSecret(state.clientKey, limit: 1 << 20))
        }

        func follow(_ server: Server) async throws {
            _ = try await follower().follow(signer(), over: server)
        }

        func statement(
            _ serial: Int, by signer: Int, server: Int, client: Int, authority: String? = "NEW PEM\n",
            signedAs signing: Int? = nil, purpose: Purpose = .keys, adding field: String? = nil
        ) throws -> SignedStatement {
            var bytes = try KeyStatement(
                serial: serial, issued: KeyFollowerTests.now / 1000,
                signer: servers[signer].certificate.fingerprint, serverKey: servers[server].certificate,
                clientKey: clients[client].certificate.fingerprint,
                authority: authority.map { Array($0.utf8) }
            ).json()
            if let field {
                bytes = Array(try Document(json: bytes).setting(field, to: "x").json().utf8)
            }
            return SignedStatement(
                bytes: bytes,
                signature: try servers[signing ?? signer].detachedSignature(
                    of: bytes, for: purpose, at: .init(KeyFollowerTests.now / 1000)))
        }

        func sealed(_ client: Int, for keys: MachineKeys, named: Int? = nil) throws -> [UInt8] {
            try SealedClientKey.seal(
                clients[client].armored(),
                fingerprint: clients[named ?? client].certificate.fingerprint,
                for: #require(Hostname("h")), to: keys, random: SecureRandom(.sessionKey))
        }

        /// Every file of the membership.
        func files() throws -> [String] {
            try [state.settings, state.clientKey, state.serverKey, state.authority].map {
                String(decoding: try Files.read($0), as: UTF8.self)
            }
        }

        var now: OpenPGP.Timestamp { .init(KeyFollowerTests.now / 1000) }
    }

    @Test("a machine makes its keys once, keeps them to itself and is known by them")
    func machineKey() async throws {
        let place = try Place()
        defer { place.directory.remove() }
        let seen = Mutex<[MachineKeys]>([])
        let server = Server { request in
            seen.withLock { $0.append(request.statement.keys) }
            return .init(standing: .registered, statements: [], clientKey: nil)
        }
        for _ in 0..<2 { try await place.follow(server) }
        #expect(Set(seen.withLock { $0 }).count == 1)
        let attributes = try FileManager.default.attributesOfItem(atPath: place.state.machineKey)
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let keys = try MachineKey(file: place.state.machineKey).publicKeys
        #expect(keys == seen.withLock { $0[0] })

        try place.directory.write("penguindome-machine-key-1\nAAAA\n", to: "/state/machine.key")
        await #expect(throws: AgentError.self) { try await place.follow(server) }
        #expect(try Files.read(place.state.machineKey).count < 40, "a damaged one is not replaced by itself")
    }

    @Test("a statement replaces the server's key, the client key and the certificate, and no setting")
    func whole() async throws {
        let place = try Place()
        defer { place.directory.remove() }
        let settings = try place.files()[0]
        let all = try [
            place.statement(2, by: 0, server: 1, client: 0), place.statement(4, by: 1, server: 2, client: 1),
        ]
        try await place.follow(
            Server { request in
                guard request.statement.serial == 0 else {
                    #expect(request.statement.serial == 4)
                    #expect(request.statement.serverKey == place.servers[2].certificate.fingerprint)
                    return .init(standing: .registered, statements: [], clientKey: nil)
                }
                return .init(
                    standing: .registered, statements: all,
                    clientKey: try place.sealed(1, for: request.statement.keys))
            })
        #expect(
            try place.files() == [
                settings,
                String(decoding: place.clients[1].armored().withUnsafeBytes { Array($0) }, as: UTF8.self),
                place.servers[2].certificate.armored(), "NEW PEM\n",
            ])
        let history = KeyHistory(file: place.state.keyHistory)
        #expect(history.formerServerKeys == place.servers[..<2].map(\.certificate.fingerprint))
    }

    @Test("a machine whose system vouches for the server is given no certificate to trust")
    func systemAuthority() async throws {
        let place = try Place()
        defer { place.directory.remove() }
        try Files.remove(place.state.authority)
        let statement = try place.statement(1, by: 0, server: 0, client: 0)
        try await place.follow(
            Server { _ in .init(standing: .registered, statements: [statement], clientKey: nil) })
        #expect(!Files.exists(place.state.authority))
    }

    @Test(
        "p175, p176: a statement that is not the server's, says more, or is old changes nothing",
        arguments: 0..<7)
    func forged(kind: Int) async throws {
        let place = try Place()
        defer { place.directory.remove() }
        let good = try place.statement(5, by: 0, server: 0, client: 0, authority: "PEM 5\n")
        try await place.follow(
            Server { _ in .init(standing: .registered, statements: [good], clientKey: nil) })
        let before = try place.files()
        let statement =
            switch kind {
            // By a key that the agent does not know; that key, saying that it is the one that the agent knows.
            case 0: try place.statement(6, by: 1, server: 1, client: 0)
            case 1: try place.statement(6, by: 0, server: 1, client: 0, signedAs: 1)
            // Older, or the same again.
            case 2: try place.statement(4, by: 0, server: 1, client: 0)
            case 3: good
            // More than a server may say.
            case 4: try place.statement(6, by: 0, server: 1, client: 0, adding: "trust")
            // Signed as something else.
            case 5: try place.statement(6, by: 0, server: 1, client: 0, purpose: .order)
            // One that names another signer than the one that signed.
            default: try place.statement(6, by: 2, server: 1, client: 0, signedAs: 0)
            }
        await #expect(throws: KeyFollower.Problem.self) {
            try await place.follow(
                Server { _ in .init(standing: .registered, statements: [statement], clientKey: nil) })
        }
        #expect(try place.files() == before)
        #expect(KeyHistory(file: place.state.keyHistory).serial == 5)
    }

    @Test(
        "p177: a client key that was not announced, or is another than it says, is not taken",
        arguments: 0..<3)
    func otherClientKey(kind: Int) async throws {
        let place = try Place()
        defer { place.directory.remove() }
        let statement = try place.statement(1, by: 0, server: 0, client: kind == 2 ? 0 : 1)
        let server = Server { request in
            let keys = request.statement.keys
            let sealed =
                switch kind {
                // Another key than the one that was announced; another one under its name; one that nobody announced.
                case 0: try place.sealed(2, for: keys)
                case 1: try place.sealed(2, for: keys, named: 1)
                default: try place.sealed(1, for: keys)
                }
            return .init(
                standing: .registered, statements: request.statement.serial == 0 ? [statement] : [],
                clientKey: sealed)
        }
        if kind == 2 {
            try await place.follow(server)
        } else {
            await #expect(throws: KeyFollower.Problem.self) { try await place.follow(server) }
        }
        #expect(try place.signer().fingerprint == "\(place.clients[0].certificate.fingerprint)")
    }

    @Test("p179: an agent that loses power at any point goes on with keys that belong together")
    func cuts() async throws {
        for cut in 1...12 {
            let place = try Place()
            defer { place.directory.remove() }
            let settings = try place.files()[0]
            let statement = try place.statement(1, by: 0, server: 1, client: 1)
            let server = Server { request in
                let said = request.statement
                let isNew = said.serverKey == place.servers[0].certificate.fingerprint && said.serial == 0
                return .init(
                    standing: .registered, statements: isNew ? [statement] : [],
                    clientKey: said.clientKey == place.clients[1].certificate.fingerprint
                        ? nil : try place.sealed(1, for: said.keys))
            }
            var follower = try place.follower()
            var left = cut
            var wasCut = false
            follower.checkpoint = {
                left -= 1
                if left == 0 {
                    wasCut = true
                    throw Cut()
                }
            }
            do {
                _ = try await follower.follow(place.signer(), over: server)
            } catch is Cut {}
            // Whatever it has now is whole.
            _ = try place.signer()
            _ = try OpenPGP.Certificate(Files.read(place.state.serverKey))
            if wasCut { try await place.follow(server) }
            #expect(
                try place.files() == [
                    settings,
                    String(decoding: place.clients[1].armored().withUnsafeBytes { Array($0) }, as: UTF8.self),
                    place.servers[1].certificate.armored(), "NEW PEM\n",
                ], "cut \(cut)")
            guard wasCut else { return }
        }
        Issue.record("more than 12 steps")
    }

    @Test("p180: reports that wait under a key that was retired are signed anew and delivered, each once")
    func waitingReports() async throws {
        let place = try Place()
        defer { place.directory.remove() }
        let (old, new) = (place.clients[0].certificate, place.clients[1].certificate)
        let statement = try place.statement(1, by: 0, server: 0, client: 1, authority: nil)
        // Retired already: what the old key signs is refused.
        let server = Server(
            submitStatus: { envelope in
                let verified = try? OpenPGP.Verifier(certificates: [new]).verifyWithoutPurpose(
                    signature: envelope.signature ?? [], of: envelope.data, at: .now())
                return verified == nil ? 403 : 200
            },
            { request in
                .init(
                    standing: .registered, statements: request.statement.serial == 0 ? [statement] : [],
                    clientKey: request.statement.clientKey == old.fingerprint
                        ? try place.sealed(1, for: request.statement.keys) : nil)
            })
        let loaded = try Agent.load(state: place.state, log: LogLines().logger())
        let agent = Agent(
            state: place.state, settings: loaded.settings, hostname: loaded.hostname,
            signer: try place.signer(), machine: .this(), runner: CollectorRunner([OSInfoCollector()]),
            log: LogLines().logger())
        for _ in 0..<4 { try await agent.collect() }
        #expect(try await agent.cycleFollowingKeys(over: server) == 5)
        #expect(try agent.status()["waiting"] == 0 && agent.status()["bad"] == .array([]))
        #expect(!Files.exists(place.state.formerClientKeys))
        let taken = server.bodies.withLock { $0 }.suffix(5)
        #expect(Set(taken.map(\.data)).count == 5)
    }

    @Test("joining again with the kit of a fleet that has a new client key keeps what waits")
    func joinedAgain() async throws {
        let place = try Place()
        defer { place.directory.remove() }
        let loaded = try Agent.load(state: place.state, log: LogLines().logger())
        try await loaded.collect()
        try place.directory.write(
            String(decoding: place.clients[1].armored().withUnsafeBytes { Array($0) }, as: UTF8.self),
            to: "/kit/client.key.asc")
        let joined = try Membership.join(
            kit: place.directory.path + "/kit", state: place.state, log: LogLines().logger())
        #expect(joined.0 == .settingsReplaced)
        let agent = try Agent.load(state: place.state, log: LogLines().logger())
        let new = place.clients[1].certificate
        let server = Server(
            submitStatus: { envelope in
                let verified = try? OpenPGP.Verifier(certificates: [new]).verifyWithoutPurpose(
                    signature: envelope.signature ?? [], of: envelope.data, at: .now())
                return verified == nil ? 403 : 200
            }, { _ in .init(standing: .registered, statements: [], clientKey: nil) })
        #expect(try await agent.submit(over: server) == 1)
    }
}
