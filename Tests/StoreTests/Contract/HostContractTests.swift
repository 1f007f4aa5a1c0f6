import PDDocument
import PDProtocol
import PDQuery
import PDStore
import Testing

@Suite("What a store tells about hosts")
struct HostContractTests {
    @Test("Hosts come by hostname, all or those that a query matches", arguments: StoreKind.all)
    func listsHosts(kind: StoreKind) async throws {
        try await kind.withStore { store in
            #expect(try await store.hosts().isEmpty)
            for (name, status) in [("b", "on"), ("C", "off"), ("a", "off"), ("a.b", "off")] {
                _ = try await store.record(
                    submission(name, plugins: ["firewall": ["status": .string(status)]]), submittedAt: 1000)
            }
            #expect(try await store.hosts().map(\.hostname.name) == ["C", "a", "a.b", "b"])
            let off = try await store.hosts(where: Query(["plugins.firewall.status": "off"]))
            #expect(off.map(\.hostname.name) == ["C", "a", "a.b"])
            #expect(off.allSatisfy { $0.document[["plugins", "firewall", "status"]] == "off" })
        }
    }

    @Test("A host is found by its name and by its identifier", arguments: StoreKind.all)
    func findsHost(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.record(submission("a", plugins: [:]), submittedAt: 1000).id
            #expect(try await store.host("a")?.id == id)
            #expect(try await store.host(id.text)?.hostname.name == "a")
            for unknown in ["b", "A", "", "a\0", "a' OR 1=1 --", "%", id.text.uppercased()] {
                #expect(try await store.host(unknown) == nil)
            }
        }
    }

    @Test(
        "A host that calls itself by another one's identifier does not take its place",
        arguments: StoreKind.all)
    func nameLikeIdentifier(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.record(submission("a", plugins: [:]), submittedAt: 1000).id
            _ = try await store.record(submission(id.text, plugins: [:]), submittedAt: 1000)
            #expect(try await store.host(id.text)?.hostname.name == "a")
            #expect(try await store.hosts().count == 2)
        }
    }

    @Test("What was acknowledged is there after the store was closed and opened", arguments: StoreKind.all)
    func survivesClose(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let first = try await database.open()
            let id = try await first.record(submission("a", plugins: ["x": 1]), submittedAt: 1000).id
            _ = try await first.record(submission("a", plugins: ["x": 2]), submittedAt: 2000)
            _ = try await first.reconcileIssues(found: ["c": [id]], at: 3000)
            try await first.close()

            let second = try await database.open()
            #expect(try await second.document("a")[["plugins", "x"]] == 2)
            #expect(try await second.auditedKeys("a") == ["plugins.x"])
            #expect(try await second.openIssues().map(\.check) == ["c"])
            try await second.close()
        }
    }

    @Test("A closed store says so, and may be closed again", arguments: StoreKind.all)
    func closed(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let store = try await database.open()
            async let once: Void = store.close()
            async let twice: Void = store.close()
            _ = try await (once, twice)
            let id = HostID(v1: try #require(Hostname("a")))
            let calls: [(String, () async throws -> Void)] = [
                ("record", { _ = try await store.record(submission("a", plugins: [:]), submittedAt: 1) }),
                ("hosts", { _ = try await store.hosts() }),
                ("host", { _ = try await store.host("a") }),
                ("auditTrail", { _ = try await store.auditTrail(of: id, limit: 1) }),
                ("openIssues", { _ = try await store.openIssues() }),
                ("reconcileIssues", { _ = try await store.reconcileIssues(found: [:], at: 1) }),
            ]
            for (name, call) in calls {
                await #expect("\(name)") {
                    try await call()
                } throws: { error in
                    if case .unavailable = error as? StoreError { true } else { false }
                }
            }
        }
    }

    @Test("Closing waits for the submissions that are under way", arguments: StoreKind.all)
    func closeWaits(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let store = try await database.open()
            let acknowledged = try await withThrowingTaskGroup(of: String?.self) { group in
                for number in 0..<50 {
                    group.addTask {
                        do {
                            _ = try await store.record(submission("h\(number)", plugins: [:]), submittedAt: 1)
                            return "h\(number)"
                        } catch StoreError.unavailable {
                            return nil
                        }
                    }
                }
                group.addTask {
                    try await store.close()
                    return nil
                }
                return try await group.reduce(into: Set()) { if let name = $1 { $0.insert(name) } }
            }
            let again = try await database.open()
            #expect(Set(try await again.hosts().map(\.hostname.name)) == acknowledged)
            try await again.close()
        }
    }
}
