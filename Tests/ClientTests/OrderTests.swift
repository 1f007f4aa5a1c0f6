import Foundation
import PDCrypto
import PDDocument
import PDFiles
import PDProtocol
import Synchronization
import Testing

@testable import PDClient

@Suite("Orders on a machine")
struct OrderTests {
    /// A machine that obeys one key for patches and another for commands.
    private struct Machine {
        let directory: TemporaryDirectory
        let patcher: OpenPGP.SecretKey
        let commander: OpenPGP.SecretKey
        let keys: TrustedKeys
        let settings: AgentSettings
        let results = Results()

        static let now: Int64 = 1_750_000_000
        static let id = "0123456789abcdef01234567"
        static let other = "0123456789abcdef01234568"

        final class Results: Sendable {
            private let list = Mutex<[(name: String, result: Document)]>([])
            func add(_ name: String, _ result: Document) { list.withLock { $0.append((name, result)) } }
            var all: [(name: String, result: Document)] { list.withLock { $0 } }
        }

        init() throws {
            directory = try TemporaryDirectory()
            patcher = try .generate(userID: "patcher", at: .init(1_700_000_000), validity: nil)
            commander = try .generate(userID: "commander", at: .init(1_700_000_000), validity: nil)
            try directory.write(patcher.certificate.armored(), to: "/state/server.pub.asc")
            try directory.write(commander.certificate.armored(), to: "/state/keys/commander.asc")
            settings = try AgentSettings(
                yaml: """
                    server_url: http://h
                    trust:
                      patches: [\(patcher.certificate.fingerprint)]
                      commands: [\(commander.certificate.fingerprint)]
                    """, file: "f")
            keys = try TrustedKeys(
                settings.trust, state: StateDirectory(directory.path + "/state"), log: LogLines().logger())
        }

        var orders: String { directory.path + "/state/orders" }

        func keeper(host: String = "h", release: Int = 1) throws -> OrderKeeper {
            OrderKeeper(
                folder: try OrderFolder(orders), keys: keys, hostname: try #require(Hostname(host)),
                fleets: [patcher.certificate.fingerprint], release: release,
                report: { [results] in results.add($0, $1) }, log: LogLines().logger())
        }

        /// Everything about an order that an attack can change.
        struct Parts {
            var id = Machine.id
            var offeredID: String?
            var hosts = ["h"]
            var fleet: OpenPGP.Fingerprint?
            var created = Machine.now - 100
            var expires = Machine.now + 1000
            var files = ["collectors/x": "#!/bin/sh\n"]
            var contents: [String: String]?
            var command: OrderStatement.Command?
            var signer: OpenPGP.SecretKey?
            var remove = false
        }

        func order(_ change: (inout Parts) -> Void = { _ in }) throws -> V2.OfferedOrder {
            var parts = Parts()
            change(&parts)
            let isCommand = parts.command != nil
            let statement = try OrderStatement(
                id: parts.id, kind: parts.command.map(OrderStatement.Kind.command) ?? .files,
                fleet: parts.fleet ?? patcher.certificate.fingerprint,
                hosts: parts.hosts.map { try #require(Hostname($0)) }, created: parts.created,
                expires: parts.expires,
                files: parts.files.map { path, content in
                    SignedFile(
                        path: try RelativePath(path), mode: parts.remove ? 0 : 0o755,
                        content: Array((parts.remove ? "" : content).utf8))
                })
            let bytes = statement.json()
            let signer = parts.signer ?? (isCommand ? commander : patcher)
            return V2.OfferedOrder(
                id: parts.offeredID ?? parts.id,
                statement: SignedStatement(
                    bytes: bytes,
                    signature: try signer.detachedSignature(
                        of: bytes, for: .order, at: .init(Machine.now - 50))),
                contents: (parts.contents ?? parts.files).mapValues { Array($0.utf8) })
        }

        func command(
            _ script: String, attempts: Int = 1, id: String = Machine.id, limit: Int = 100,
            signer: OpenPGP.SecretKey? = nil
        ) throws -> V2.OfferedOrder {
            try order {
                $0.id = id
                $0.command = .init(name: "c", timeLimit: 5, attempts: attempts, outputLimit: limit)
                $0.files = ["client/commands/c": script]
                $0.signer = signer
            }
        }
    }

    @Test("a patch is put in place once, and a second offer of it is only acknowledged")
    func patch() throws {
        let machine = try Machine()
        let order = try machine.order()
        let first = try machine.keeper().run([order], now: Machine.now)
        #expect(first.changed && first.done == [Machine.id] && first.refused.isEmpty)
        let file = "\(machine.orders)/files-1/collectors/x"
        #expect(try Files.read(file) == Array("#!/bin/sh\n".utf8))
        try Files.writeAtomically([], to: file)
        let second = try machine.keeper().run([order], now: Machine.now)
        #expect(!second.changed && second.done == [Machine.id])
        #expect(try Files.read(file).isEmpty)
    }

    @Test("the owner sees which orders the machine took, what came of them, and who signed each")
    func shown() throws {
        let machine = try Machine()
        let (patch, command) = (
            try machine.order(), try machine.command("#!/bin/sh\nexit 3\n", id: Machine.other)
        )
        _ = try machine.keeper().run([patch], now: Machine.now)
        _ = try machine.keeper().run([command], now: Machine.now + 1)
        let state = StateDirectory(machine.directory.path + "/state")
        let orders = try Agent.orders(state, machine.settings, log: LogLines().logger())
        #expect(orders.map(\.id) == [Machine.other, Machine.id] && orders.map(\.what) == ["c", "patch"])
        #expect(orders.map(\.state) == ["failed", "done"] && orders.map(\.returncode) == [3, nil])
        #expect(
            orders.map(\.signer) == [
                "\(machine.commander.certificate.fingerprint)", "\(machine.patcher.certificate.fingerprint)",
            ])
        // Without the text that was signed nobody can be named.
        try Files.remove("\(machine.orders)/\(Machine.id).order")
        let untold = try Agent.orders(state, machine.settings, log: LogLines().logger())[1]
        #expect(untold.signer == nil && untold.what == nil && untold.state == "done")
        #expect(
            try Agent.orders(StateDirectory("/nowhere"), machine.settings, log: LogLines().logger()).isEmpty)
    }

    @Test(
        "p107_p110_p112_p113_an order for another fleet, machine or time, by another key, or with other content, does nothing"
    )
    func refusals() throws {
        let machine = try Machine()
        let other = try OpenPGP.SecretKey.generate(userID: "x", at: .init(1_700_000_000), validity: nil)
        let attacks: [(String, (inout Machine.Parts) -> Void)] = [
            ("not for this machine", { $0.hosts = ["other"] }),
            ("another fleet", { $0.fleet = other.certificate.fingerprint }),
            ("has expired", { $0.expires = Machine.now }),
            ("in the future", { $0.created = Machine.now + 400 }),
            ("another number", { $0.offeredID = "ffffffffffffffffffffffff" }),
            ("its number is none", { $0.offeredID = "../../etc" }),
            ("not as it was signed", { $0.contents = ["collectors/x": "#!/bin/sh\nevil\n"] }),
            ("not as it was signed", { $0.contents = ["collectors/y": "#!/bin/sh\n"] }),
            ("not trusted here", { $0.signer = other }),
            // The keys' roles: who may patch may not command, and the other way round.
            ("not trusted here", { $0.signer = machine.commander }),
            (
                "not trusted here",
                {
                    $0.command = .init(name: "c", timeLimit: 1, attempts: 1, outputLimit: 1)
                    $0.files = ["client/commands/c": "#!/bin/sh\ntouch \(machine.directory.path)/ran\n"]
                    $0.signer = machine.patcher
                }
            ),
        ]
        for (reason, change) in attacks {
            let outcome = try machine.keeper().run([machine.order(change)], now: Machine.now)
            #expect(!outcome.changed && outcome.done.isEmpty, "\(reason)")
            #expect(outcome.refused.first?.reason.contains(reason) == true, "\(outcome.refused)")
        }
        var flipped = try machine.order()
        var bytes = flipped.statement.bytes
        bytes[60] ^= 1
        flipped = V2.OfferedOrder(
            id: flipped.id, statement: SignedStatement(bytes: bytes, signature: flipped.statement.signature),
            contents: flipped.contents)
        #expect(try machine.keeper().run([flipped], now: Machine.now).refused.count == 1)
        #expect(try Files.names(in: machine.orders).isEmpty)
        #expect(!Files.exists(machine.directory.path + "/ran"))
        // One bad order does not keep the others from being carried out.
        let mixed = try machine.keeper().run(
            [machine.order { $0.hosts = ["other"] }, machine.order { $0.id = "aaaaaaaaaaaaaaaaaaaaaaaa" }],
            now: Machine.now)
        #expect(mixed.refused.count == 1 && mixed.done == ["aaaaaaaaaaaaaaaaaaaaaaaa"])
    }

    /// Nil: no purpose, as gpg signs a file where nobody tells it one.
    @Test(
        "p131_a trusted key's signature that was made for anything else is no order, and the reason names what it is for",
        arguments: [nil] + Purpose.allCases.filter { $0 != .order })
    func otherPurpose(made: Purpose?) throws {
        let machine = try Machine()
        let ran = machine.directory.path + "/ran"
        let script = "#!/bin/sh\ntouch \(ran)\n"
        let orders = [
            (try machine.order(), machine.patcher), (try machine.command(script), machine.commander),
        ]
        for (order, signer) in orders {
            let (bytes, time) = (order.statement.bytes, OpenPGP.Timestamp(Machine.now - 50))
            // The content of a file, which an operator was given to deploy.
            let signature =
                try made.map { try signer.detachedSignature(of: bytes, for: $0, at: time) }
                ?? signer.signDetachedWithoutPurpose(bytes, at: time)
            let stolen = V2.OfferedOrder(
                id: order.id, statement: SignedStatement(bytes: bytes, signature: signature),
                contents: order.contents)
            let outcome = try machine.keeper().run([stolen], now: Machine.now)
            #expect(!outcome.changed && outcome.done.isEmpty)
            let reason = try #require(outcome.refused.first?.reason)
            #expect(
                reason.contains(
                    made.map { "made for \($0), not for order-1" } ?? "does not say what it is for"),
                "\(reason)")
        }
        #expect(try Files.names(in: machine.orders).isEmpty && !Files.exists(ran))
    }

    @Test(
        "p72_p110_a patch through a link that lies in the way is refused, and what it leads to is left alone")
    func links() throws {
        let machine = try Machine()
        let outside = machine.directory.path + "/outside"
        try FileManager.default.createDirectory(atPath: outside, withIntermediateDirectories: true)
        _ = try OrderFolder(machine.orders).directory.makeDirectory("files-1")
        #expect(symlink(outside, "\(machine.orders)/files-1/collectors") == 0)
        let outcome = try machine.keeper().run([machine.order()], now: Machine.now)
        #expect(outcome.refused.count == 1 && outcome.done.isEmpty)
        #expect(try Files.names(in: outside).isEmpty)
        // A link in the file's own place is replaced, not written through.
        #expect(unlink("\(machine.orders)/files-1/collectors") == 0)
        #expect(mkdir("\(machine.orders)/files-1/collectors", 0o755) == 0)
        try Files.writeAtomically([1], to: outside + "/target")
        #expect(symlink(outside + "/target", "\(machine.orders)/files-1/collectors/x") == 0)
        #expect(try machine.keeper().run([machine.order()], now: Machine.now).done == [Machine.id])
        #expect(try Files.read(outside + "/target") == [1])
    }

    @Test("patches lie over one release, the last one decides, and the next release begins without them")
    func overlay() throws {
        let machine = try Machine()
        let folder = try OrderFolder(machine.orders)
        let path = try RelativePath("collectors/x")
        let remove = try machine.order {
            $0.id = "bbbbbbbbbbbbbbbbbbbbbbbb"
            $0.created = Machine.now - 20
            $0.remove = true
        }
        // Offered in the wrong order: what was written last decides, on the disk as well.
        let outcome = try machine.keeper().run([remove, machine.order()], now: Machine.now)
        #expect(outcome.done == [remove.id])
        #expect(outcome.refused.first?.reason.contains("later order \(remove.id) decided about") == true)
        #expect(!Files.exists("\(machine.orders)/files-1/collectors/x"))
        #expect(try folder.overlay(over: 1, machine.keys)[path]?.mode == 0)
        #expect(try folder.overlay(over: 2, machine.keys).isEmpty)
        try folder.clean(current: 2, now: Machine.now)
        #expect(!Files.exists("\(machine.orders)/files-1"))
        // Remembered until they expire, then forgotten.
        #expect(try machine.keeper(release: 2).run([remove], now: Machine.now).changed == false)
        try folder.clean(current: 2, now: Machine.now + 1000)
        #expect(try Files.names(in: machine.orders) == ["forgotten.json"])
    }

    @Test(
        "a patch that would put a file where an earlier one has a directory, or the other way round, is refused",
        arguments: [
            ("a/b/c", "a/b", false), ("a/b/c", "a/b", true), ("a/b", "a/b/c", false), ("a/b", "A/b", false),
        ])
    func besideEarlier(earlier: String, path: String, remove: Bool) throws {
        let machine = try Machine()
        #expect(
            try machine.keeper().run([machine.order { $0.files = [earlier: "x"] }], now: Machine.now).changed)
        let later = try machine.order {
            $0.id = "bbbbbbbbbbbbbbbbbbbbbbbb"
            $0.created = Machine.now - 20
            $0.files = [path: "y"]
            $0.remove = remove
        }
        let outcome = try machine.keeper().run([later], now: Machine.now)
        #expect(outcome.done.isEmpty && outcome.refused.first?.reason.contains("earlier patch") == true)
        #expect(try Files.read("\(machine.orders)/files-1/\(earlier)") == [UInt8(ascii: "x")])
        // Where the earlier file was taken away first, there is room.
        let away = try machine.order {
            $0.id = "cccccccccccccccccccccccc"
            $0.created = Machine.now - 50
            $0.files = [earlier: ""]
            $0.remove = true
        }
        #expect(try machine.keeper().run([away, later], now: Machine.now).done == [away.id, later.id])
        var integrity = Integrity()
        integrity.release = 1
        try integrity.checkPatches(OrderFolder(machine.orders), machine.keys)
        #expect(integrity.isIntact, "\(integrity)")
    }

    @Test(
        "a patch whose order is not what was signed any more puts nothing over the release, and the others stay"
    )
    func changedOrder() throws {
        let machine = try Machine()
        let other = try machine.order {
            $0.id = "bbbbbbbbbbbbbbbbbbbbbbbb"
            $0.files = ["collectors/y": "#!/bin/sh\n"]
        }
        _ = try machine.keeper().run([machine.order(), other], now: Machine.now)
        let folder = try OrderFolder(machine.orders)
        #expect(try folder.overlay(over: 1, machine.keys).count == 2)
        try Files.writeAtomically(
            [UInt8](#"{"format":"penguindome-order-1"}"#.utf8), to: "\(machine.orders)/\(Machine.id).order")
        #expect(try folder.overlay(over: 1, machine.keys).keys.map(\.text) == ["collectors/y"])
        var integrity = Integrity()
        integrity.release = 1
        try integrity.checkPatches(folder, machine.keys)
        #expect(integrity.extra == ["files-1/collectors/x"] && integrity.patched == ["collectors/y"])
    }

    // MARK: - Commands

    @Test("a command runs once; its output is reported, capped; a second offer does not run it again")
    func command() throws {
        let machine = try Machine()
        let mark = machine.directory.path + "/mark"
        let order = try machine.command("#!/bin/sh\necho x >> \(mark)\nyes | head -c 1000\n")
        for _ in 0..<3 {
            #expect(try machine.keeper().run([order], now: Machine.now).done == [Machine.id])
        }
        #expect(try Files.read(mark) == Array("x\n".utf8))
        #expect(machine.results.all.count == 1)
        #expect(machine.results.all.first?.result["output"]?.string?.utf8.count == 100)
        #expect(!Files.exists("\(machine.orders)/\(Machine.id).run"))
    }

    @Test(
        "what a command wrote is reported as far as its JSON stays small, however much of it must be escaped",
        arguments: [0, 1])
    func escapedOutput(status: Int) throws {
        let machine = try Machine()
        let order = try machine.command(
            "#!/bin/sh\nhead -c 1048576 /dev/zero\nhead -c 1048576 /dev/zero >&2\nexit \(status)\n",
            limit: 1 << 20)
        #expect(try machine.keeper().run([order], now: Machine.now).done == [Machine.id])
        let result = try #require(machine.results.all.first?.result)
        #expect(result.json().utf8.count < CommandResult.escapedLimit + 1000)
        #expect(result.json().utf8.count > CommandResult.escapedLimit - 1000)
        // A text of the same length that needs no escape is whole.
        let plain = try machine.command(
            "#!/bin/sh\nhead -c 1000000 /dev/zero | tr '\\000' x\n", id: "aaaaaaaaaaaaaaaaaaaaaaaa",
            limit: 1 << 20)
        #expect(try machine.keeper().run([plain], now: Machine.now).done.count == 1)
        #expect(machine.results.all.last?.result["output"]?.string?.utf8.count == 1_000_000)
    }

    @Test("a command that was carried out is not run again after the clock went ahead and was set right")
    func clock() throws {
        let machine = try Machine()
        let folder = try OrderFolder(machine.orders)
        let mark = machine.directory.path + "/mark"
        let order = try machine.command("#!/bin/sh\necho x >> \(mark)\n")
        #expect(try machine.keeper().run([order], now: Machine.now).done == [Machine.id])
        try folder.clean(current: 2, now: Machine.now + 1_000_000)
        let again = try machine.keeper().run([order], now: Machine.now)
        #expect(again.refused.first?.reason.contains("carried out before") == true && again.done.isEmpty)
        // What forgets later remembers no less.
        try folder.write(.init(base: 1, accepted: 1, expires: Machine.now - 5), "aaaaaaaaaaaaaaaaaaaaaaaa")
        try folder.clean(current: 2, now: Machine.now)
        #expect(try folder.ids().isEmpty && folder.forgotten() == Machine.now + 1000)
        #expect(try Files.read(mark) == Array("x\n".utf8))
        // One that was signed later is new.
        let later = try machine.order {
            $0.id = "bbbbbbbbbbbbbbbbbbbbbbbb"
            $0.expires = Machine.now + 1001
        }
        #expect(try machine.keeper().run([later], now: Machine.now).done.count == 1)
    }

    @Test(
        "a damaged memory of what was forgotten refuses all orders, and nothing more is forgotten",
        arguments: ["", "{", "{}", #"{"expires":"1"}"#])
    func damagedMark(damage: String) throws {
        let machine = try Machine()
        let folder = try OrderFolder(machine.orders)
        try Files.writeAtomically(Array(damage.utf8), to: "\(machine.orders)/forgotten.json")
        let outcome = try machine.keeper().run([machine.order()], now: Machine.now)
        #expect(
            outcome.refused.first?.reason.contains("forgotten.json is damaged") == true && !outcome.changed)
        try folder.write(.init(base: 1, accepted: 1, expires: 2, isDone: true), Machine.id)
        try folder.clean(current: 2, now: Machine.now)
        #expect(try folder.ids() == [Machine.id])
    }

    @Test("a command that fails is tried as often as told, and then left")
    func attempts() throws {
        let machine = try Machine()
        let mark = machine.directory.path + "/mark"
        let order = try machine.command("#!/bin/sh\necho x >> \(mark)\necho no >&2\nexit 7\n", attempts: 2)
        #expect(try machine.keeper().run([order], now: Machine.now).done.isEmpty)
        #expect(try machine.keeper().run([order], now: Machine.now).done == [Machine.id])
        #expect(try machine.keeper().run([order], now: Machine.now).changed == false)
        #expect(try Files.read(mark) == Array("x\nx\n".utf8))
        #expect(machine.results.all.map { $0.result["returncode"]?.integer } == [7, 7])
        #expect(machine.results.all.map { $0.result["attempt"]?.integer } == [1, 2])
        #expect(machine.results.all.allSatisfy { $0.result["order"]?.string == Machine.id })
        #expect(machine.results.all.first?.result["stderr"]?.string == "no\n")
    }

    @Test("a command during which the machine stopped is counted, reported, and not run again")
    func cutShort() throws {
        let machine = try Machine()
        let folder = try OrderFolder(machine.orders)
        try folder.write(
            .init(base: 1, accepted: Machine.now, expires: Machine.now + 10, attempts: 1), Machine.id)
        let order = try machine.command("#!/bin/sh\ntouch \(machine.directory.path)/ran\n")
        #expect(try machine.keeper().run([order], now: Machine.now).done == [Machine.id])
        #expect(!Files.exists(machine.directory.path + "/ran"))
        #expect(machine.results.all.first?.result["stderr"]?.string == "cut short")
    }

    @Test(
        "a record that cannot be read refuses the order instead of carrying it out again",
        arguments: ["", "{}", "{"])
    func damagedRecord(damage: String) throws {
        let machine = try Machine()
        _ = try OrderFolder(machine.orders)
        try Files.writeAtomically(Array(damage.utf8), to: "\(machine.orders)/\(Machine.id).json")
        let order = try machine.command("#!/bin/sh\ntouch \(machine.directory.path)/ran\n")
        let outcome = try machine.keeper().run([order], now: Machine.now)
        #expect(outcome.refused.count == 1 && outcome.done.isEmpty)
        #expect(outcome.refused.first?.reason.contains("\(Machine.id).json is damaged") == true)
        #expect(!Files.exists(machine.directory.path + "/ran"))
    }

    @Test(
        "a damaged record stops its own order and no other: others are carried out, forgotten, and lie over the release",
        arguments: ["", "{}", "{", "link", "lost"])
    func damageIsContained(damage: String) throws {
        let machine = try Machine()
        let folder = try OrderFolder(machine.orders)
        _ = try machine.keeper().run([machine.order()], now: Machine.now)
        let record = "\(machine.orders)/\(Machine.id).json"
        switch damage {
        case "link":
            try folder.directory.remove("\(Machine.id).json")
            try folder.directory.link("\(Machine.id).json", to: "/etc/passwd")
        case "lost": try folder.directory.remove("\(Machine.id).order")
        default: try Files.writeAtomically(Array(damage.utf8), to: record)
        }
        let other = try machine.order {
            $0.id = "bbbbbbbbbbbbbbbbbbbbbbbb"
            $0.files = ["collectors/y": "#!/bin/sh\n"]
        }
        let outcome = try machine.keeper().run([machine.order(), other], now: Machine.now)
        #expect(outcome.done.contains(other.id))
        #expect(outcome.refused.map(\.id) == (damage == "lost" ? [] : [Machine.id]))
        #expect(try folder.overlay(over: 1, machine.keys).keys.map(\.text) == ["collectors/y"])
        try folder.clean(current: 2, now: Machine.now + 2000)
        #expect(try folder.ids() == (damage == "lost" ? [] : [Machine.id]))
    }

    @Test("an answer of the server is read back as it was written")
    func answers() throws {
        let machine = try Machine()
        for release in [nil, SignedStatement(bytes: [1, 2, 3], signature: [0xff])] {
            let answer = V2.UpdateAnswer(release: release)
            #expect(try V2.UpdateAnswer(json: answer.json()) == answer)
        }
        for orders in [[], [try machine.order()], [try machine.order(), try machine.command("x")]] {
            let answer = V2.OrdersAnswer(orders: orders)
            #expect(try V2.OrdersAnswer(json: answer.json()) == answer)
        }
        for bad in ["", "[]", #"{"release":{"manifest":"%","signature":""}}"#] {
            #expect(throws: ProtocolError.self, "\(bad)") { try V2.UpdateAnswer(json: Array(bad.utf8)) }
        }
        for bad in ["", "[]", #"{"orders":[1]}"#, #"{"orders":[{"id":"x"}]}"#] {
            #expect(throws: ProtocolError.self, "\(bad)") { try V2.OrdersAnswer(json: Array(bad.utf8)) }
        }
    }

    @Test("a receipt is read back as it was written, and one of an unknown state is refused")
    func receipts() throws {
        let host = try #require(Hostname("h"))
        for receipt in [
            V2.Receipt(hostname: host, id: "i", state: .running, attempts: 2, returncode: -1, reason: "r"),
            V2.Receipt(hostname: host, id: "i", state: .received),
        ] {
            #expect(try V2.Receipt(json: receipt.json()) == receipt)
        }
        #expect(throws: ProtocolError.self) {
            try V2.Receipt(json: Array(#"{"hostname":"h","id":"i","state":"gone","attempts":0}"#.utf8))
        }
    }

    @Test(
        "what is told of an order is what became of it: announced, running, failed or done, also when told again"
    )
    func told() throws {
        let machine = try Machine()
        let keeper = try machine.keeper()
        let failing = try machine.command("#!/bin/sh\nexit 3\n", attempts: 2)
        #expect(keeper.announcement(of: failing, now: Machine.now)?.state == .running)
        let first = try #require(keeper.run([failing], now: Machine.now).receipts.first)
        #expect(first.state == .running && first.attempts == 1 && first.returncode == 3)
        for _ in 0..<2 {
            let outcome = keeper.run([failing], now: Machine.now)
            let last = try #require(outcome.receipts.first)
            #expect(last.state == .failed && last.attempts == 2 && last.returncode == 3)
            #expect(outcome.failed == [Machine.id])
        }
        #expect(keeper.announcement(of: failing, now: Machine.now) == nil)
        let files = try machine.order { $0.id = "aaaaaaaaaaaaaaaaaaaaaaaa" }
        #expect(keeper.announcement(of: files, now: Machine.now)?.state == .received)
        #expect(keeper.run([files], now: Machine.now).receipts.map(\.state) == [.done])
        let foreign = try machine.order {
            $0.hosts = ["other"]; $0.id = "bbbbbbbbbbbbbbbbbbbbbbbb"
        }
        #expect(keeper.announcement(of: foreign, now: Machine.now) == nil)
        let refused = try #require(keeper.run([foreign], now: Machine.now).receipts.first)
        #expect(refused.state == .refused && refused.reason?.contains("not for this machine") == true)
    }

    @Test("a command without end of attempts is tried each time until it works")
    func forever() throws {
        let machine = try Machine()
        let mark = machine.directory.path + "/mark"
        let order = try machine.order {
            $0.command = .init(name: "c", timeLimit: 5, attempts: nil, outputLimit: 100)
            $0.files = ["client/commands/c": "#!/bin/sh\ntest -e \(mark)\n"]
        }
        for attempt in 1...101 {
            let receipt = try #require(machine.keeper().run([order], now: Machine.now).receipts.first)
            #expect(receipt.state == .running && receipt.attempts == attempt)
        }
        try Files.writeAtomically([], to: mark)
        let receipt = try #require(machine.keeper().run([order], now: Machine.now).receipts.first)
        #expect(receipt.state == .done && receipt.attempts == 102 && receipt.returncode == 0)
    }
}
