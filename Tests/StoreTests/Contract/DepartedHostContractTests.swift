import PDDocument
import PDProtocol
import PDStore
import Testing

@Suite("What was recorded of a host that is gone does not bring it back")
struct DepartedHostContractTests {
    private func name(_ text: String) throws -> Hostname { try #require(Hostname(text)) }

    /// Three reports of one host, in their order.
    private func reports() throws -> [V1.Submission] {
        try [
            submission("a", collectedAt: 1000, plugins: ["x": 1], commands: ["c": ["output": "1"]]),
            submission("a", collectedAt: 2000, plugins: ["x": 2]),
            submission("a", collectedAt: 3000, commands: ["d": ["output": "2"]]),
        ]
    }

    @Test("Nothing that a deleted host sent makes it anew", arguments: StoreKind.all)
    func p135_deleted(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            var store = try await database.open()
            let reports = try reports()
            for report in reports { _ = try await store.record(report, submittedAt: 3001) }
            try await store.delete(host: #require(try await store.host("a")).id)
            // The memory outlives the process.
            try await store.close()
            store = try await database.open()
            for report in reports {
                #expect(try await store.record(report, submittedAt: 9000).disposition == .outdated)
            }
            #expect(try await store.hosts() == [])

            // The host itself comes back, and still only what is new counts.
            let back = try submission("a", collectedAt: 3001, plugins: ["x": 3])
            #expect(try await store.record(back, submittedAt: 9001).disposition == .newHost)
            let before = try await store.host("a")
            for report in reports {
                #expect(try await store.record(report, submittedAt: 9002).disposition == .outdated)
            }
            #expect(try await store.host("a") == before)
            let result = try submission("a", collectedAt: 3002, commands: ["d": ["output": "3"]])
            #expect(try await store.record(result, submittedAt: 9003).disposition == .stored)

            // And goes again.
            try await store.delete(host: #require(before).id)
            for report in reports + [back, result] {
                #expect(try await store.record(report, submittedAt: 9004).disposition == .outdated)
            }
            try await store.close()
        }
    }

    @Test("A host that came back with a command's result alone gets no old plugins", arguments: StoreKind.all)
    func p135_partsOfDeleted(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let reports = try reports()
            for report in reports { _ = try await store.record(report, submittedAt: 3001) }
            try await store.delete(host: #require(try await store.host("a")).id)
            let back = try submission("a", collectedAt: 4000, commands: ["e": ["output": "4"]])
            #expect(try await store.record(back, submittedAt: 4001).disposition == .newHost)
            let before = try await store.host("a")
            for report in reports {
                #expect(try await store.record(report, submittedAt: 9000).disposition == .outdated)
            }
            #expect(try await store.host("a") == before)
        }
    }

    @Test("Nothing that a renamed host sent makes one of its old name", arguments: StoreKind.all)
    func p135_renamed(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let reports = try reports()
            for report in reports { _ = try await store.record(report, submittedAt: 3001) }
            try await store.rename(host: #require(try await store.host("a")).id, to: name("b"))
            for report in reports {
                #expect(try await store.record(report, submittedAt: 9000).disposition == .outdated)
            }
            #expect(try await store.hosts().map(\.hostname) == [name("b")])
            let next = try submission("b", collectedAt: 3500, plugins: ["x": 3])
            #expect(try await store.record(next, submittedAt: 3501).disposition == .stored)
        }
    }

    @Test("A deleted host whose clock was years ahead comes back once it is right", arguments: StoreKind.all)
    func p135_clockAhead(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let year: Int64 = 365 * 86_400_000
            let ahead = try submission("a", collectedAt: year, plugins: ["x": 1])
            _ = try await store.record(ahead, submittedAt: 10_000)
            try await store.delete(host: #require(try await store.host("a")).id)
            #expect(try await store.record(ahead, submittedAt: 20_000).disposition == .outdated)
            let right = try submission("a", collectedAt: 20_000, plugins: ["x": 2])
            #expect(try await store.record(right, submittedAt: 20_001).disposition == .newHost)
        }
    }

    @Test("What has no time of its own is taken", arguments: StoreKind.all)
    func withoutTime(kind: StoreKind) async throws {
        try await kind.withStore { store in
            for report in try reports() { _ = try await store.record(report, submittedAt: 3001) }
            try await store.delete(host: #require(try await store.host("a")).id)
            let untimed = try submission("a", plugins: ["x": 9])
            #expect(try await store.record(untimed, submittedAt: 9000).disposition == .newHost)
        }
    }

    @Test("Attempts at one order are told apart by their number", arguments: StoreKind.all)
    func p135_attempts(kind: StoreKind) async throws {
        try await kind.withStore { store in
            func result(_ output: String, _ order: String, _ attempt: Int, at time: Int64) throws
                -> V1.Submission
            {
                try submission(
                    "a", collectedAt: time,
                    commands: [
                        "c": ["output": .string(output), "order": .string(order), "attempt": .int(attempt)]
                    ])
            }
            let first = try result("one", "o", 1, at: 5000)
            _ = try await store.record(first, submittedAt: 5001)
            // The host's clock was put back in between.
            let second = try result("two", "o", 2, at: 4000)
            #expect(try await store.record(second, submittedAt: 5002).disposition == .stored)
            for old in [first, second] {
                let receipt = try await store.record(old, submittedAt: 9000)
                #expect(receipt.disposition == (old == first ? .outdated : .repeated))
            }
            #expect(try await store.document("a")[["commands", "c", "output"]] == "two")
            // Another order of that name is another matter.
            let other = try result("three", "p", 1, at: 6000)
            #expect(try await store.record(other, submittedAt: 9001).disposition == .stored)
            #expect(try await store.record(second, submittedAt: 9002).disposition == .outdated)
        }
    }

    @Test("What is known of hosts that are gone goes along to another database", arguments: StoreKind.all)
    func copied(kind: StoreKind) async throws {
        try await kind.withStore { source in
            for report in try reports() { _ = try await source.record(report, submittedAt: 3001) }
            try await source.delete(host: #require(try await source.host("a")).id)
            try await StoreKind.sqlite.withStore { target in
                _ = try await FleetCopy(from: source, to: target).run(at: 4000)
                for report in try reports() {
                    #expect(try await target.record(report, submittedAt: 9000).disposition == .outdated)
                }
            }
        }
    }
}
