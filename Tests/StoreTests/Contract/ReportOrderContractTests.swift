import PDDocument
import PDProtocol
import PDStore
import Testing

@Suite("Which of two submissions is the newer one")
struct ReportOrderContractTests {
    @Test("An old submission that is sent again changes nothing", arguments: StoreKind.all)
    func p106_replayOfOld(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let old = try submission("a", collectedAt: 1000, plugins: ["x": 1])
            _ = try await store.record(old, submittedAt: 1001)
            _ = try await store.record(
                submission("a", collectedAt: 2000, plugins: ["x": 2]), submittedAt: 2001)
            let before = try #require(try await store.host("a"))
            let receipt = try await store.record(old, submittedAt: 3000)
            #expect(receipt == SubmissionReceipt(id: before.id, disposition: .outdated, differences: []))
            #expect(try await store.host("a") == before)
            #expect(try await store.auditedKeys("a") == ["plugins.x"])
        }
    }

    @Test(
        "The newest submission that is played back does not make a host look alive", arguments: StoreKind.all)
    func p106_replayOfNewest(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let newest = try submission(
                "a", collectedAt: 1000, plugins: ["x": 1, "submitted_at": 4], commands: ["c": ["output": "1"]]
            )
            _ = try await store.record(newest, submittedAt: 1001)
            let before = try #require(try await store.host("a"))
            let receipt = try await store.record(newest, submittedAt: 9000)
            #expect(receipt == SubmissionReceipt(id: before.id, disposition: .repeated, differences: []))
            #expect(try await store.host("a") == before)
        }
    }

    @Test("The same time with other content is taken", arguments: StoreKind.all)
    func sameTime(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(
                submission("a", collectedAt: 1000, plugins: ["x": 1]), submittedAt: 1001)
            let receipt = try await store.record(
                submission("a", collectedAt: 1000, plugins: ["x": 2]), submittedAt: 1002)
            #expect(receipt.disposition == .stored)
            #expect(try await store.document("a")[["plugins", "x"]] == 2)
        }
    }

    @Test("Without a time of collection it is taken, each time", arguments: StoreKind.all)
    func withoutTime(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(
                submission("a", collectedAt: 1000, plugins: ["x": 1]), submittedAt: 1001)
            for time: Int64 in [2000, 3000] {
                let receipt = try await store.record(submission("a", plugins: ["x": 2]), submittedAt: time)
                #expect(receipt.disposition == .stored)
                #expect(try await store.host("a")?.submittedAt == time)
            }
            // Nothing is known any more about when the plugins were collected.
            #expect(try await store.document("a")["collected_at"] == nil)
        }
    }

    @Test(
        "A command's result that was held up is kept though newer plugins overtook it",
        arguments: StoreKind.all)
    func commandOvertaken(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(
                submission("a", collectedAt: 2000, plugins: ["x": 1]), submittedAt: 2001)
            let late = try await store.record(
                submission("a", collectedAt: 1000, commands: ["c": ["output": "kept"]]), submittedAt: 3000)
            #expect(late.disposition == .stored)
            #expect(try await store.document("a")[["commands", "c", "output"]] == "kept")
            #expect(try await store.document("a")["collected_at"] == .date(milliseconds: 2000))

            let plugins = try await store.record(
                submission("a", collectedAt: 3500, plugins: ["x": 2]), submittedAt: 3501)
            #expect(plugins.disposition == .stored)
            let older = try await store.record(
                submission("a", collectedAt: 900, commands: ["c": ["output": "older"]]), submittedAt: 4000)
            #expect(older.disposition == .outdated)
            #expect(try await store.document("a")[["commands", "c", "output"]] == "kept")
        }
    }

    @Test("Of one submission the newer part is taken and the older is not", arguments: StoreKind.all)
    func partly(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(
                submission("a", collectedAt: 2000, plugins: ["x": 2]), submittedAt: 2001)
            let receipt = try await store.record(
                submission("a", collectedAt: 1000, plugins: ["x": 1], commands: ["c": ["output": "new"]]),
                submittedAt: 3000)
            #expect(receipt.disposition == .stored)
            let document = try await store.document("a")
            #expect(document[["plugins", "x"]] == 2)
            #expect(document[["commands", "c", "output"]] == "new")
        }
    }

    @Test("An old submission of a host whose clock is ahead changes nothing either", arguments: StoreKind.all)
    func p106_replayOfAhead(kind: StoreKind) async throws {
        try await kind.withStore { store in
            for (name, lead) in [("a", 60_000), ("b", 7_200_000), ("c", 365 * 86_400_000)]
                as [(String, Int64)]
            {
                let old = try submission(
                    name, collectedAt: lead + 1000, plugins: ["x": 1], commands: ["c": ["output": "1"]])
                _ = try await store.record(old, submittedAt: 1001)
                let newer = try submission(
                    name, collectedAt: lead + 2000, plugins: ["x": 2], commands: ["c": ["output": "2"]])
                _ = try await store.record(newer, submittedAt: 2001)
                let before = try await store.host(name)
                #expect(try await store.record(old, submittedAt: 2500).disposition == .outdated)
                #expect(try await store.host(name) == before)
                let next = try submission(name, collectedAt: lead + 3000, plugins: ["x": 3])
                #expect(try await store.record(next, submittedAt: 3001).disposition == .stored)
            }
        }
    }

    @Test("A host whose clock was a little ahead is heard when it has caught up", arguments: StoreKind.all)
    func hostClockLittleAhead(kind: StoreKind) async throws {
        try await kind.withStore { store in
            _ = try await store.record(
                submission("a", collectedAt: 60_000, plugins: ["x": 1]), submittedAt: 10_000)
            for (time, disposition) in [
                (59_000, .outdated), (61_000, .stored),
            ] as [(Int64, SubmissionReceipt.Disposition)] {
                let receipt = try await store.record(
                    submission("a", collectedAt: time, plugins: ["x": 2]), submittedAt: time + 1)
                #expect(receipt.disposition == disposition)
            }
        }
    }

    @Test("A host whose clock was far ahead is heard again once it is right", arguments: StoreKind.all)
    func hostClockAhead(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let year: Int64 = 365 * 86_400_000
            _ = try await store.record(
                submission("a", collectedAt: year, plugins: ["x": 1]), submittedAt: 10_000)
            // What it collected before its wrong clock was seen is outdated all the same.
            let old = try await store.record(
                submission("a", collectedAt: 9000, plugins: ["x": 0]), submittedAt: 20_000)
            #expect(old.disposition == .outdated)
            let right = try await store.record(
                submission("a", collectedAt: 20_000, plugins: ["x": 2]), submittedAt: 20_001)
            #expect(right.disposition == .stored)
            #expect(try await store.document("a")[["plugins", "x"]] == 2)
        }
    }

    @Test("A server whose clock was far ahead, too, hears its hosts again", arguments: StoreKind.all)
    func bothClocksAhead(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let year: Int64 = 365 * 86_400_000
            _ = try await store.record(
                submission("a", collectedAt: year, plugins: ["x": 1]), submittedAt: year + 1)
            let right = try await store.record(
                submission("a", collectedAt: 20_000, plugins: ["x": 2]), submittedAt: 20_001)
            #expect(right.disposition == .stored)
            #expect(try await store.host("a")?.submittedAt == 20_001)
        }
    }
}
