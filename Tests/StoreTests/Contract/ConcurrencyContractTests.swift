import PDDocument
import PDProtocol
import PDStore
import Testing

@Suite("What a store does with many at once")
struct ConcurrencyContractTests {
    @Test("First submissions of one host at the same moment make one host", arguments: StoreKind.all)
    func p123_firstSubmissions(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let stores = [try await database.open(), try await database.open()]
            let receipts = try await withThrowingTaskGroup(of: SubmissionReceipt.self) { group in
                for number in 0..<20 {
                    group.addTask {
                        try await stores[number % 2].record(
                            submission("a", plugins: ["n": .int(number)]), submittedAt: 1000)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(receipts.count == 20)
            #expect(Set(receipts.map(\.id)).count == 1)
            #expect(receipts.filter { $0.disposition == .newHost }.count == 1)
            #expect(try await stores[0].hosts().count == 1)
            for store in stores { try await store.close() }
        }
    }

    @Test(
        "Submissions of one host are applied one after the other, each to what the last one left",
        arguments: StoreKind.all)
    func chain(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let stores = [try await database.open(), try await database.open()]
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<200 {
                    group.addTask {
                        _ = try await stores[number % 2].record(
                            submission("h\(number % 4)", plugins: ["n": .int(number)]), submittedAt: 1000)
                    }
                }
                try await group.waitForAll()
            }
            for name in ["h0", "h1", "h2", "h3"] {
                let host = try #require(try await stores[0].host(name))
                let changes = try await stores[1].auditTrail(of: host.id, limit: .max).map(\.change)
                #expect(changes.count == 49)
                for (earlier, later) in zip(changes, changes.dropFirst()) {
                    #expect(earlier.new == later.old)
                }
                #expect(changes.last?.new == host.document[["plugins", "n"]])
            }
            for store in stores { try await store.close() }
        }
    }

    @Test("A reader sees a submission whole or not at all", arguments: StoreKind.all)
    func noStateBetween(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let writer = try await database.open()
            let reader = try await database.open()
            _ = try await writer.record(submission("a", plugins: ["x": 0, "y": 0]), submittedAt: 1000)
            async let writing: Void = {
                for number in 1...100 {
                    _ = try await writer.record(
                        submission("a", plugins: ["x": .int(number), "y": .int(number)]), submittedAt: 1000)
                }
            }()
            for _ in 0..<100 {
                let plugins = try await reader.document("a")["plugins"]?.document
                #expect(plugins?["x"] == plugins?["y"])
            }
            try await writing
            // Two records for each submission but the first.
            #expect(try await reader.auditedKeys("a").count == 200)
            try await writer.close()
            try await reader.close()
        }
    }
}
