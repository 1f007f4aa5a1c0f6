import PDDocument
import PDProtocol
import PDQuery
import PDStore
import Testing

@Suite("What a store makes of submissions")
struct SubmissionContractTests {
    @Test("A first submission makes a host, with an identifier from its name", arguments: StoreKind.all)
    func newHost(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let receipt = try await store.record(
                submission("laptop", collectedAt: 900, plugins: ["firewall": ["status": "on"]]),
                submittedAt: 1000)
            let id = HostID(v1: try #require(Hostname("laptop")))
            #expect(receipt == SubmissionReceipt(id: id, disposition: .newHost, differences: []))

            let host = try #require(try await store.host("laptop"))
            #expect(host.id == id)
            #expect(host.submittedAt == 1000)
            #expect(
                host.document == [
                    "hostname": "laptop", "submitted_at": .date(milliseconds: 1000),
                    "collected_at": .date(milliseconds: 900),
                    "plugins": ["firewall": ["status": "on"], "submitted_at": .date(milliseconds: 1000)],
                ])
            #expect(try await store.auditedKeys("laptop") == [])
        }
    }

    @Test("Plugins replace the plugins whole and leave the commands alone", arguments: StoreKind.all)
    func pluginsReplace(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(
                submission("a", plugins: ["x": 1, "y": 2], commands: ["wipe": ["output": "no"]]),
                submittedAt: 1000)
            let receipt = try await store.record(
                submission("a", plugins: ["y": 3, "z": 4]), submittedAt: 2000)
            #expect(receipt.disposition == .stored)
            #expect(receipt.differences.map(\.path) == ["plugins.x", "plugins.y", "plugins.z"])
            let document = try await store.document("a")
            #expect(document["plugins"] == ["y": 3, "z": 4, "submitted_at": .date(milliseconds: 2000)])
            #expect(
                document["commands"] == ["wipe": ["output": "no", "submitted_at": .date(milliseconds: 1000)]])
            #expect(document["submitted_at"] == .date(milliseconds: 2000))
        }
    }

    @Test(
        "A command sets its own result and leaves plugins and other commands alone", arguments: StoreKind.all)
    func commandSetsItself(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(
                submission(
                    "a", plugins: ["x": 1], commands: ["one": ["output": "1"], "two": ["output": "2"]]),
                submittedAt: 1000)
            _ = try await store.record(
                submission(
                    "a", collectedAt: 1900, commands: ["two": ["returncode": 1], "three": ["output": "3"]]),
                submittedAt: 2000)
            let document = try await store.document("a")
            #expect(document["plugins"] == ["x": 1, "submitted_at": .date(milliseconds: 1000)])
            #expect(
                document["commands"] == [
                    "one": ["output": "1", "submitted_at": .date(milliseconds: 1000)],
                    "two": [
                        "returncode": 1, "submitted_at": .date(milliseconds: 2000),
                        "collected_at": .date(milliseconds: 1900),
                    ],
                    "three": [
                        "output": "3", "submitted_at": .date(milliseconds: 2000),
                        "collected_at": .date(milliseconds: 1900),
                    ],
                ])
            // The time of collection of the host is that of its plugins.
            #expect(document["collected_at"] == nil)
            #expect(document["submitted_at"] == .date(milliseconds: 2000))
        }
    }

    @Test(
        "Commands whose names are two spellings of one Unicode text are two commands",
        arguments: StoreKind.all)
    func spellings(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let (composed, combining) = ("caf\u{E9}", "cafe\u{301}")
            func results(_ name: String) async throws -> String? {
                try await store.document("a")["commands"]?.document?[name]?.document?["output"]?.string
            }
            _ = try await store.record(
                submission("a", commands: [composed: ["output": "1"]] as Document), submittedAt: 1000)
            _ = try await store.record(
                submission("a", commands: [combining: ["output": "2"]] as Document), submittedAt: 2000)
            #expect(try await [results(composed), results(combining)] == ["1", "2"])
            _ = try await store.record(
                submission(
                    "a", commands: [combining: ["output": "4"], composed: ["output": "3"]] as Document),
                submittedAt: 3000)
            #expect(try await [results(composed), results(combining)] == ["3", "4"])
        }
    }

    @Test("Times that are the server's to set are not taken from the agent", arguments: StoreKind.all)
    func serverSetsTimes(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(
                submission(
                    "a", plugins: ["submitted_at": "never"],
                    commands: ["c": ["submitted_at": "never", "collected_at": .date(milliseconds: 1 << 50)]]),
                submittedAt: 1000)
            let document = try await store.document("a")
            #expect(document["plugins"] == ["submitted_at": .date(milliseconds: 1000)])
            #expect(document["commands"] == ["c": ["submitted_at": .date(milliseconds: 1000)]])
        }
    }

    @Test("A command's result that is no object is kept as it came", arguments: StoreKind.all)
    func oddCommandResult(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let odd: Document = ["text": "done", "list": [1, "two", ["three": 3]], "nothing": nil]
            _ = try await store.record(submission("a", collectedAt: 10, commands: odd), submittedAt: 1000)
            #expect(try await store.document("a")["commands"] == .document(odd))
            _ = try await store.record(
                submission("a", collectedAt: 10, commands: ["text": "again"]), submittedAt: 2000)
            #expect(try await store.document("a")[["commands", "text"]] == "again")
        }
    }

    @Test("A submission clears the suspended mark and keeps fields of others", arguments: StoreKind.all)
    func clearsSuspended(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let hostname = try #require(Hostname("a"))
            let store = try await database.open()
            try await database.seed(
                FleetHost(
                    id: HostID(v1: hostname), hostname: hostname, submittedAt: 1000,
                    document: [
                        "hostname": "a", "suspended": true, "submitted_at": .date(milliseconds: 1000),
                        "note": "kept",
                        "plugins": ["x": 1],
                    ]))
            _ = try await store.record(submission("a", plugins: ["x": 1]), submittedAt: 2000)
            #expect(
                try await store.document("a") == [
                    "hostname": "a", "submitted_at": .date(milliseconds: 2000),
                    "plugins": ["x": 1, "submitted_at": .date(milliseconds: 2000)], "note": "kept",
                ])
            #expect(try await store.auditedKeys("a") == ["suspended"])
            try await store.close()
        }
    }

    @Test("Hosts with odd documents do not disturb themselves or others", arguments: StoreKind.all)
    func p119_oddHosts(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let store = try await database.open()
            let odd: [(String, Document)] = [
                ("only-hostname", ["hostname": "only-hostname"]),
                ("plugins-text", ["hostname": "plugins-text", "plugins": "none", "commands": "none"]),
                (
                    "plugins-list",
                    ["hostname": "plugins-list", "plugins": [1, "two", nil, [3], ["x": 4]], "commands": []]
                ),
                (
                    "times-odd",
                    ["hostname": "times-odd", "collected_at": "soon", "plugins": ["submitted_at": 7]]
                ),
            ]
            for (name, document) in odd {
                let hostname = try #require(Hostname(name))
                try await database.seed(
                    FleetHost(
                        id: HostID(v1: hostname), hostname: hostname, submittedAt: 0, document: document))
            }
            _ = try await store.record(
                submission("only-commands", commands: ["c": ["output": [1, "two", nil, ["x": []]]]]),
                submittedAt: 1000)

            #expect(try await store.hosts().count == 5)
            #expect(try await store.hosts(where: Query(["plugins.x": 1])).isEmpty)
            for name in odd.map(\.0) + ["only-commands"] {
                let receipt = try await store.record(
                    submission(
                        name, collectedAt: 900, plugins: ["x": [1, "two", ["y": nil]]],
                        commands: ["c": ["output": ["two", 1]]]), submittedAt: 2000)
                #expect(receipt.disposition == .stored)
                #expect(!receipt.differences.isEmpty)
                #expect(try await store.document(name)[["commands", "c", "output"]] == ["two", 1])
            }
            try await store.close()
        }
    }

    @Test("What one host may fill is bounded, and the host stays as it was", arguments: StoreKind.all)
    func hostTooLarge(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(submission("a", plugins: ["x": 1]), submittedAt: 1000)
            let large = try submission("a", plugins: ["x": .string(String(repeating: "x", count: 16 << 20))])
            await #expect {
                _ = try await store.record(large, submittedAt: 2000)
            } throws: { error in
                if case .hostTooLarge(_, _, limit: 16 << 20) = error as? StoreError { true } else { false }
            }
            #expect(try await store.document("a")[["plugins", "x"]] == 1)
        }
    }

    @Test("Changes are audited, times are not", arguments: StoreKind.all)
    func auditsChanges(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let first: Document = [
                "sshd": ["running": false, "seen_at": .date(milliseconds: 1)], "old": 1, "list": [1, 2],
            ]
            let second: Document = [
                "sshd": ["running": true, "seen_at": .date(milliseconds: 2)], "new": 2, "list": [1, 3],
            ]
            let id = try await store.record(
                submission("a", collectedAt: 900, plugins: first), submittedAt: 1000
            ).id
            _ = try await store.record(submission("a", collectedAt: 1900, plugins: second), submittedAt: 2000)
            _ = try await store.record(submission("a", collectedAt: 2900, plugins: second), submittedAt: 3000)

            let trail = try await store.auditTrail(of: id, limit: 100)
            #expect(trail.allSatisfy { $0.auditedAt == 2000 && $0.hostID == id && $0.hostname.name == "a" })
            #expect(
                trail.map(\.change) == [
                    V1.Change(key: "plugins.list", kind: .changed, old: [1, 2], new: [1, 3]),
                    V1.Change(key: "plugins.new", kind: .added, old: nil, new: 2),
                    V1.Change(key: "plugins.old", kind: .deleted, old: 1, new: nil),
                    V1.Change(key: "plugins.sshd.running", kind: .changed, old: false, new: true),
                ])
        }
    }

    @Test("The audit trail gives the newest records of one host, oldest first", arguments: StoreKind.all)
    func auditTrailLimit(kind: StoreKind) async throws {
        try await kind.withStore { store in
            for number in 0...5 {
                for name in ["a", "b"] {
                    _ = try await store.record(
                        submission(name, plugins: ["n": .int(number)]), submittedAt: Int64(number))
                }
            }
            let id = HostID(v1: try #require(Hostname("a")))
            #expect(try await store.auditTrail(of: id, limit: 2).map(\.change.new) == [4, 5])
            #expect(try await store.auditTrail(of: id, limit: .max).count == 5)
            #expect(try await store.auditTrail(of: id, limit: 0).isEmpty)
            #expect(try await store.auditTrail(of: HostID(v1: try #require(Hostname("c"))), limit: 9).isEmpty)
        }
    }
}
