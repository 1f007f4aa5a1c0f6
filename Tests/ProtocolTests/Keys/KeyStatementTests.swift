import Foundation
import PDCrypto
import PDDocument
import Testing

@testable import PDProtocol

@Suite("What a server says of its keys, and a machine of its own")
struct KeyStatementTests {
    private static let now = OpenPGP.Timestamp(1_750_000_000)

    private func key(_ name: String) throws -> OpenPGP.SecretKey {
        try .generate(userID: name, at: .init(1_700_000_000), validity: nil)
    }

    private func statement(
        _ serial: Int, signer: OpenPGP.SecretKey, server: OpenPGP.SecretKey, client: OpenPGP.SecretKey
    ) throws -> KeyStatement {
        try KeyStatement(
            serial: serial, issued: Self.now.seconds, signer: signer.certificate.fingerprint,
            serverKey: server.certificate, clientKey: client.certificate.fingerprint,
            authority: Array("PEM\n".utf8))
    }

    @Test("a statement is read as it was written, and by the server's key alone")
    func whole() throws {
        let (server, client) = (try key("s"), try key("c"))
        let statement = try statement(1, signer: server, server: server, client: client)
        #expect(try KeyStatement(json: statement.json()) == statement)
        for purpose in Purpose.allCases {
            let signed = SignedStatement(
                bytes: statement.json(),
                signature: try server.detachedSignature(of: statement.json(), for: purpose, at: Self.now))
            if purpose == .keys {
                #expect(try signed.keys(verifiedBy: server.certificate, at: Self.now) == statement)
            } else {
                #expect(throws: SignedStatement.Failure.self) {
                    try signed.keys(verifiedBy: server.certificate, at: Self.now)
                }
            }
            #expect(throws: SignedStatement.Failure.self) {
                try signed.keys(verifiedBy: client.certificate, at: Self.now)
            }
        }
    }

    @Test(
        "p175: a statement that says more than a server may say is none",
        arguments: ["trust", "thresholds", "server_url", "sealing_key", "settings", "critical"])
    func nothingElse(field: String) throws {
        let (server, client) = (try key("s"), try key("c"))
        let document = try Document(
            json: statement(1, signer: server, server: server, client: client).json())
        let value: Value = field == "critical" ? .array([.string("trust")]) : .string("x")
        #expect(throws: StatementError.self) {
            try KeyStatement(json: Array(document.setting(field, to: value).json().utf8))
        }
    }

    @Test("a server's key as the fleet's client key is refused")
    func mixing() throws {
        let (server, next) = (try key("s"), try key("n"))
        #expect(throws: StatementError.self) {
            try statement(1, signer: server, server: next, client: next)
        }
        #expect(throws: StatementError.self) {
            try statement(1, signer: server, server: next, client: server)
        }
    }

    @Test("whatever key of a server a machine knows, the statements that it is sent lead to the present one")
    func path() throws {
        let servers = try (0..<4).map { try key("s\($0)") }
        let clients = try (0..<3).map { try key("c\($0)") }
        // Two changes of the client key between those of the server's.
        let all = try [
            statement(1, signer: servers[0], server: servers[0], client: clients[1]),
            statement(2, signer: servers[0], server: servers[1], client: clients[1]),
            statement(3, signer: servers[1], server: servers[1], client: clients[2]),
            statement(4, signer: servers[1], server: servers[2], client: clients[2]),
            statement(5, signer: servers[2], server: servers[2], client: clients[0]),
        ]
        func path(_ serial: Int, _ server: Int) -> [Int] {
            KeyStatement.path(
                through: all, after: serial, knowing: servers[server].certificate.fingerprint
            ).map { all[$0].serial }
        }
        #expect(path(0, 0) == [2, 4, 5])
        #expect(path(1, 0) == [2, 4, 5])
        #expect(path(0, 1) == [4, 5], "joined after the second")
        #expect(path(4, 2) == [5] && path(0, 2) == [5])
        #expect(path(5, 2).isEmpty && path(0, 3).isEmpty)
        #expect(KeyStatement.path(through: [], after: 0, knowing: clients[0].certificate.fingerprint) == [])
    }

    // MARK: - Machines

    private struct Machine {
        let signing: Curve25519.Signing.PrivateKey
        let sealing: Curve25519.KeyAgreement.PrivateKey

        init() throws {
            signing = try .init(random: SecureRandom(.sessionKey))
            sealing = try .init(random: SecureRandom(.sessionKey))
        }

        var keys: MachineKeys { MachineKeys(signing: signing.publicKey, sealing: sealing.publicKey) }
    }

    private func said(_ machine: Machine, _ name: String = "h") throws -> MachineStatement {
        MachineStatement(
            hostname: try #require(Hostname(name)), keys: machine.keys,
            serverKey: try key("s").certificate.fingerprint, serial: 3,
            clientKey: try key("c").certificate.fingerprint, made: Self.now.seconds)
    }

    @Test("a machine proves that it has the key that it names")
    func possession() throws {
        let (machine, other) = (try Machine(), try Machine())
        let statement = try said(machine)
        let request = try V2.KeysRequest(statement, signedBy: machine.signing)
        #expect(try V2.KeysRequest(json: request.json()) == request)
        let stolen = try V2.KeysRequest(statement, signedBy: other.signing)
        #expect(throws: ProtocolError.self) { try V2.KeysRequest(json: stolen.json()) }
        // Signed by the right key, as something else.
        let document: Document = [
            "machine": .string(base64(request.bytes)),
            "signature": .string(base64(try machine.signing.signature(of: request.bytes, for: .order))),
        ]
        #expect(throws: ProtocolError.self) { try V2.KeysRequest(json: Array(document.json().utf8)) }
        #expect(machine.keys.fingerprint.count == 39 && machine.keys.fingerprint != other.keys.fingerprint)
    }

    private func base64(_ bytes: [UInt8]) -> String { Data(bytes).base64EncodedString() }

    @Test(
        "p177: a client key is opened by the machine, for the host and under the fingerprint that it was sealed for alone"
    )
    func sealed() throws {
        let (machine, other) = (try Machine(), try Machine())
        let (client, fake) = (try key("c"), try key("f"))
        let (host, twin) = (try #require(Hostname("h")), try #require(Hostname("twin")))
        let fingerprint = client.certificate.fingerprint
        let sealed = try SealedClientKey.seal(
            client.armored(), fingerprint: fingerprint, for: host, to: machine.keys,
            random: SecureRandom(.sessionKey))
        let opened = try SealedClientKey.open(
            sealed, fingerprint: fingerprint, for: host, with: machine.sealing)
        #expect(opened == client.armored())
        #expect(throws: CryptoError.self) {
            try SealedClientKey.open(sealed, fingerprint: fingerprint, for: host, with: other.sealing)
        }
        #expect(throws: CryptoError.self) {
            try SealedClientKey.open(sealed, fingerprint: fingerprint, for: twin, with: machine.sealing)
        }
        #expect(throws: CryptoError.self) {
            try SealedClientKey.open(
                sealed, fingerprint: fake.certificate.fingerprint, for: host, with: machine.sealing)
        }
        for position in [0, 20, 60, sealed.count - 1] {
            var broken = sealed
            broken[position] ^= 1
            #expect(throws: CryptoError.self) {
                try SealedClientKey.open(broken, fingerprint: fingerprint, for: host, with: machine.sealing)
            }
        }
    }

    @Test("an answer is read as it was written", arguments: V2.MachineStanding.allCases)
    func answer(standing: V2.MachineStanding) throws {
        for statements in [[], [SignedStatement(bytes: [1], signature: [2, 3])]] {
            for key in [nil, [9, 8, 7] as [UInt8]] {
                let answer = V2.KeysAnswer(standing: standing, statements: statements, clientKey: key)
                #expect(try V2.KeysAnswer(json: answer.json()) == answer)
            }
        }
    }
}
