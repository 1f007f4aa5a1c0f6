import PDProtocol
import PDStore
import Testing

@Suite("What a store keeps about issues")
struct IssueContractTests {
    private func hosts(_ store: any FleetStore, _ names: String...) async throws -> [HostID] {
        var ids: [HostID] = []
        for name in names {
            ids.append(try await store.record(submission(name, plugins: [:]), submittedAt: 1).id)
        }
        return ids
    }

    @Test("An audit opens what is new, keeps what goes on and closes what is gone", arguments: StoreKind.all)
    func reconciles(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let ids = try await hosts(store, "b", "a")
            let first = try await store.reconcileIssues(found: ["disk": ids, "firewall": [ids[1]]], at: 100)
            #expect(
                first.map { "\($0.hostname) \($0.check) \($0.openedAt)" } == [
                    "a disk 100", "a firewall 100", "b disk 100",
                ])
            #expect(first.map(\.hostID) == [ids[1], ids[1], ids[0]])
            #expect(first.allSatisfy { $0.closedAt == nil && $0.alertedAt == nil })

            let second = try await store.reconcileIssues(found: ["disk": [ids[0]]], at: 200)
            #expect(
                second.map { "\($0.hostname) \($0.check) \($0.openedAt)" } == [
                    "a firewall 100", "b disk 100",
                ])
            // Gone and come again is a new issue.
            let third = try await store.reconcileIssues(found: ["disk": ids, "firewall": []], at: 300)
            #expect(
                third.map { "\($0.hostname) \($0.check) \($0.openedAt)" } == ["a disk 300", "b disk 100"])
            #expect(try await store.openIssues() == third)
            #expect(try await store.reconcileIssues(found: [:], at: 400) == third)
        }
    }

    @Test("A host that is named twice has one issue", arguments: StoreKind.all)
    func namedTwice(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let ids = try await hosts(store, "a")
            #expect(try await store.reconcileIssues(found: ["c": ids + ids], at: 100).count == 1)
        }
    }

    @Test("An unknown host fails the audit, and nothing of it is kept", arguments: StoreKind.all)
    func unknownHost(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let ids = try await hosts(store, "a")
            let unknown = HostID(v1: try #require(Hostname("nobody")))
            await #expect(throws: StoreError.unknownHost(unknown.text)) {
                _ = try await store.reconcileIssues(found: ["c": ids, "d": [ids[0], unknown]], at: 100)
            }
            #expect(try await store.openIssues().isEmpty)
        }
    }

    @Test("Audits that run at once open one issue for a host and a check", arguments: StoreKind.all)
    func concurrentAudits(kind: StoreKind) async throws {
        try await kind.withDatabase { database in
            let stores = [try await database.open(), try await database.open()]
            let ids = try await hosts(stores[0], "a", "b")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        _ = try await stores[number % 2].reconcileIssues(found: ["c": ids], at: Int64(number))
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await stores[1].openIssues().map(\.hostname.name) == ["a", "b"])
            for store in stores { try await store.close() }
        }
    }
}
