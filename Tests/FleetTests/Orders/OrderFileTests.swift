import Foundation
import PDBasics
import PDCrypto
import PDProtocol
import PDStore
import PDTestSupport
import Testing

@testable import PDFleet

@Suite("Orders that are written, signed and sent in different places")
struct OrderFileTests {
    @Test(
        "p170_a file that could never do what its place is for is refused, and a program gets the mode of one"
    )
    func placing() throws {
        let program = Array("#!/bin/sh\n".utf8)
        for (path, content, mode) in [
            ("collectors/door.sh", program, 0o755), ("client/plugins/door", program, 0o755),
            ("collectors/README", Array("text".utf8), 0o644), ("etc/app.json", Array("{}".utf8), 0o644),
            ("bin/tool", [0x7F] + Array("ELF".utf8), 0o755),
        ] {
            #expect(try Order.File(placing: path, mode: nil, content: content).mode == mode, "\(path)")
        }
        #expect(try Order.File(placing: "etc/x", mode: 0o644, content: program).mode == 0o644)
        for path in ["collectors/door.sh", "client/plugins/door"] {
            #expect(throws: FleetError.self) { try Order.File(placing: path, mode: 0o644, content: program) }
        }
        #expect(throws: FleetError.self) {
            try Order.File(placing: "client/commands/once", mode: 0o755, content: program)
        }
    }

    private static let now = Moment(seconds: 1_750_000_000)

    /// A fleet with the hosts `a` and `b` in a directory of its own; its server's key may sign nothing.
    private func withFleet(_ body: (Fleet, OpenPGP.SecretKey) async throws -> Void) async throws {
        let directory = FileManager.default.temporaryDirectory.appending(
            path: "pd-order-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: directory) }
        let state = ServerState(directory: directory)
        _ = try ServerSetup(state: state, answers: .init(port: 8080, url: nil), now: .init(1_700_000_000))
            .run()
        let fleet = try await Fleet(state: state, makingStore: true)
        for name in ["a", "b"] {
            let report = V1.Submission(
                hostname: try #require(Hostname(name)), collectedAt: nil, plugins: ["x": 1], commands: nil)
            _ = try await fleet.store.record(report, submittedAt: 1)
        }
        let key = try OpenPGP.SecretKey.generate(userID: "chief", at: .init(1_700_000_000), validity: nil)
        try await body(fleet, key)
        try await fleet.store.close()
    }

    private func draft(
        _ fleet: Fleet, hosts: [String] = ["a", "b"], script: String = "#!/bin/sh\nid\n", days: Int = 1,
        server: OpenPGP.Fingerprint? = nil
    ) throws -> OrderDraft {
        try OrderDraft(
            .command(.init(name: "who", timeLimit: 60, attempts: nil, outputLimit: 100)),
            [Order.File(path: "client/commands/who", mode: 0o755, content: Array(script.utf8))],
            for: hosts.map { try #require(Hostname($0)) },
            fleet: server ?? Fleet.fingerprint(of: fleet.state),
            days: days, at: Self.now)
    }

    @Test(
        "a file is read as it was written, unsigned and signed, and is sent once it is signed by a key that may"
    )
    func whole() async throws {
        try await withFleet { fleet, key in
            let draft = try draft(fleet)
            let written = try OrderFile(json: Array(OrderFile(draft).json.utf8), file: "f")
            #expect(written == OrderFile(draft) && written.signature == nil)
            await #expect(throws: FleetError.self) { try await fleet.send(written, at: Self.now) }
            let signed = OrderFile(
                written.draft, signed: try written.draft.signed(by: key, forVersion1: true, at: Self.now))
            let read = try OrderFile(json: Array(signed.json.utf8), file: "f")
            #expect(read == signed)
            await #expect {
                try await fleet.send(read, at: Self.now)
            } throws: {
                ($0 as? FleetError)?.kind == .refused
            }
            _ = try KeyRole.patch.trust(key.certificate, fleet.state, at: .now())
            await #expect(throws: FleetError.self, "one that may sign files may not sign commands") {
                try await fleet.send(read, at: Self.now)
            }
            _ = try KeyRole.command.trust(key.certificate, fleet.state, at: .now())
            let order = try await fleet.send(read, at: Self.now)
            #expect(try await fleet.store.order(order.id)?.pendingHosts.map(\.name) == ["a", "b"])
            #expect(order.ownFiles.count == 1 && order.files.count == 2)
        }
    }

    @Test(
        "an order that is altered, for another fleet, expired or for an unknown host is not sent",
        arguments: ["content", "fleet", "late", "host", "statement"])
    func refused(fault: String) async throws {
        try await withFleet { fleet, key in
            _ = try KeyRole.command.trust(key.certificate, fleet.state, at: .now())
            let draft = try draft(
                fleet, hosts: fault == "host" ? ["zebra"] : ["a"],
                server: fault == "fleet" ? key.certificate.fingerprint : nil)
            var text = OrderFile(draft, signed: try draft.signed(by: key, at: Self.now)).json
            if fault == "content" {
                text.replace(
                    Data("#!/bin/sh\nid\n".utf8).base64EncodedString(),
                    with: Data("#!/bin/sh\nrm\n".utf8).base64EncodedString())
            }
            if fault == "statement" {
                let other = try self.draft(fleet, hosts: ["b"])
                text = OrderFile(other, signed: try draft.signed(by: key, at: Self.now)).json
            }
            let later = fault == "late" ? Moment(seconds: Self.now.seconds + 2 * 86_400) : Self.now
            let json = Array(text.utf8)
            await #expect(throws: FleetError.self) {
                try await fleet.send(OrderFile(json: json, file: "f"), at: later)
            }
            #expect(try await fleet.store.orders().isEmpty)
        }
    }

    @Test(
        "what is about to be signed is shown in words: hosts, command and program, without what a terminal obeys"
    )
    func words() async throws {
        try await withFleet { fleet, _ in
            let words = try draft(fleet, script: "#!/bin/sh\necho \u{1b}[2Jhidden\n").words
            for part in [
                "hosts (2): a, b", "runs the command who as root", "until it ends with 0", "60 seconds",
                "| echo ?[2Jhidden", "expires 2025-06-16",
            ] {
                #expect(words.contains(part), "\(part) in \(words)")
            }
            #expect(!words.contains("\u{1b}"))
        }
    }

    @Test(
        "each host stands where its last word put it; one that says nothing before the end has let it expire")
    func standings() async throws {
        try await withFleet { fleet, key in
            let order = try draft(fleet).signed(by: key, at: Self.now)
            try await fleet.store.add(order)
            let host = order.pendingHosts[0]
            _ = try await fleet.store.note(
                OrderReceipt(state: .failed, attempts: 1, returncode: 3, at: 5), of: order.id, from: host)
            let known = try #require(try await fleet.store.order(order.id))
            #expect(OrderStanding.all(of: known, at: Self.now).map(\.state) == [.failed, .offered])
            let late = Moment(seconds: Self.now.seconds + 86_400)
            #expect(OrderStanding.all(of: known, at: late).map(\.state) == [.failed, .expired])
            let document = try #require(OrderStanding.all(of: known, at: late).first).document
            #expect(document["returncode"] == 3 && document["kind"] == "command" && document["host"] == "a")
        }
    }
}
