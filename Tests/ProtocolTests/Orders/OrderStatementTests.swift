import PDCrypto
import PDDocument
import Testing

@testable import PDProtocol

@Suite("Orders: patches and one-time commands")
struct OrderTests {
    private let fleet = OpenPGP.Fingerprint([UInt8](0..<20))

    private func order(
        _ kind: OrderStatement.Kind = .files, id: String = "0123456789abcdef01234567",
        hosts: [String] = ["b", "a"],
        paths: [String] = ["collectors/x"], created: Int64 = 1_700_000_000, expires: Int64 = 1_700_100_000
    ) throws -> OrderStatement {
        try OrderStatement(
            id: id, kind: kind, fleet: #require(fleet), hosts: hosts.map { try #require(Hostname($0)) },
            created: created, expires: expires,
            files: paths.map { SignedFile(path: try RelativePath($0), mode: 0o755, content: Array("x".utf8)) }
        )
    }

    private let command = OrderStatement.Kind.command(
        .init(name: "uptime", timeLimit: 60, attempts: 3, outputLimit: 4096))

    @Test("a patch and a command are read back as they were written")
    func roundTrip() throws {
        let patch = try order()
        #expect(try OrderStatement(json: patch.json()) == patch)
        #expect(patch.hosts.map(\.name) == ["a", "b"])
        let run = try order(command, paths: ["client/commands/uptime"])
        #expect(try OrderStatement(json: run.json()) == run)
    }

    @Test("a file is taken away by mode 0 in a patch, and not in a command")
    func removal() throws {
        let gone = SignedFile(path: try RelativePath("a"), mode: 0, content: [])
        let host = try #require(Hostname("h"))
        _ = try OrderStatement(
            id: "0123456789abcdef01234567", kind: .files, fleet: #require(fleet), hosts: [host], created: 1,
            expires: 2,
            files: [gone])
        #expect(throws: StatementError.self) {
            try OrderStatement(
                id: "0123456789abcdef01234567", kind: command, fleet: #require(fleet), hosts: [host],
                created: 1,
                expires: 2,
                files: [SignedFile(path: try RelativePath("client/commands/uptime"), mode: 0, content: [])])
        }
    }

    @Test("an order meets only the machines that it names")
    func target() throws {
        let order = try order()
        let (meant, other) = (try #require(Hostname("a")), try #require(Hostname("A")))
        #expect(order.names(meant) && !order.names(other))
    }

    @Test("what is no order is refused")
    func bad() throws {
        #expect(throws: StatementError.self) { try order(id: "x") }
        #expect(throws: StatementError.self) { try order(id: "0123456789ABCDEF01234567") }
        #expect(throws: StatementError.self) { try order(hosts: []) }
        #expect(throws: StatementError.self) { try order(hosts: ["a", "a"]) }
        #expect(throws: StatementError.self) { try order(paths: []) }
        #expect(throws: StatementError.self) { try order(paths: ["a", "A"]) }
        #expect(throws: StatementError.self) { try order(expires: 1_700_000_000) }
        #expect(throws: StatementError.self) { try order(command, paths: ["client/commands/other"]) }
        #expect(throws: StatementError.self) { try order(command, paths: ["client/commands/uptime", "x"]) }
        for name in ["", "a/b", "..", "a.b", "$x", "a\n"] {
            #expect(throws: (any Error).self, "\(name)") {
                try order(
                    .command(.init(name: name, timeLimit: 1, attempts: 1, outputLimit: 1)),
                    paths: ["client/commands/\(name)"])
            }
        }
        for terms in [(0, 1, 1), (86_401, 1, 1), (1, 0, 1), (1, 101, 1), (1, 1, -1), (1, 1, 1 << 21)] {
            #expect(throws: StatementError.self) {
                try order(
                    .command(
                        .init(name: "uptime", timeLimit: terms.0, attempts: terms.1, outputLimit: terms.2)),
                    paths: ["client/commands/uptime"])
            }
        }
    }

    @Test("a manifest is no order, and an order no manifest: one signature cannot stand for the other")
    func otherKind() throws {
        #expect(throws: StatementError.self) { try OrderStatement(json: SampleRelease().manifest.json()) }
        #expect(throws: StatementError.self) { try Manifest(json: order().json()) }
        let text = String(decoding: try order().json(), as: UTF8.self)
        for (old, new) in [("files", "shell"), (#""kind":"files""#, #""kind":"files","command":{}"#)] {
            let changed = text.replacing(old, with: new)
            if old == "files" {
                #expect(throws: StatementError.self) { try OrderStatement(json: Array(changed.utf8)) }
            } else {
                #expect(try OrderStatement(json: Array(changed.utf8)).kind == .files)
            }
        }
    }
}
