import Foundation
import PDDocument
import PDProtocol
import PDQuery
import PDStore
import Testing

@Suite("How a store is cared for")
struct MaintenanceContractTests {
    private func name(_ text: String) throws -> Hostname { try #require(Hostname(text)) }

    /// Two hosts with three changes each, issues, a patch and a parameter.
    private func fill(_ store: any FleetStore) async throws {
        for number in 0..<4 {
            for host in ["a", "b"] {
                _ = try await store.record(
                    submission(
                        host, collectedAt: Int64(number * 10),
                        plugins: [
                            "n": .int(number), "list": [.int(number), nil],
                            "double": .double(Double(number) / 3),
                        ],
                        commands: number == 2 ? ["c": ["output": "x"]] : nil),
                    submittedAt: Int64(number * 10 + 1))
            }
        }
        let ids = [HostID(v1: try name("a")), HostID(v1: try name("b"))]
        _ = try await store.reconcileIssues(found: ["disk": ids, "firewall": [ids[0]]], at: 100)
        _ = try await store.reconcileIssues(found: ["disk": [ids[1]]], at: 200)
        _ = try await store.reconcileIssues(found: ["disk": ids], at: 300)
        try await store.setParameters(
            [
                HostParameter(
                    hostname: name("a"), name: "user_email", values: ["x@example.com", "y@example.com"])
            ], at: 5)
        try await store.add(
            Order(
                id: String(repeating: "c", count: 24), submittedAt: 7,
                files: [Order.File(path: "bin/x", mode: 0o755, content: [0, 255])],
                pendingHosts: [name("a"), name("b")],
                receipts: [name("a"): OrderReceipt(state: .running, attempts: 1, at: 3)],
                signed: Order.Signed(statement: [1], signature: [2])))
        _ = try await store.acknowledgeOrder(String(repeating: "c", count: 24), by: name("b"))
        try await store.rename(host: ids[1], to: name("renamed"))
        try await store.setSuspended(true, host: ids[0])
    }

    @Test("What is old is removed where that is asked for, and nothing else", arguments: StoreKind.all)
    func prunes(kind: StoreKind) async throws {
        try await kind.withStore { store in
            try await fill(store)
            let id = HostID(v1: try name("a"))
            let before = try await store.auditTrail(of: id, limit: .max)
            let open = try await store.openIssues()
            #expect(
                try await store.prune(auditTrailBefore: nil, closedIssuesBefore: nil)
                    == PruneReceipt(auditRecords: 0, closedIssues: 0))
            let receipt = try await store.prune(auditTrailBefore: 21, closedIssuesBefore: 200)
            #expect(receipt.auditRecords > 0 && receipt.closedIssues == 0)
            #expect(
                try await store.auditTrail(of: id, limit: .max) == before.filter { $0.auditedAt >= 21 })
            #expect(try await store.prune(auditTrailBefore: nil, closedIssuesBefore: 201).closedIssues == 1)
            #expect(try await store.openIssues() == open)
            #expect(try await store.hosts().count == 2)
            #expect(try await store.check() == [])
            // Numbers go on where they were.
            _ = try await store.record(submission("a", plugins: ["n": 99]), submittedAt: 400)
            #expect(try await store.auditTrail(of: id, limit: .max).last?.auditedAt == 400)
        }
    }

    @Test(
        "A copy has everything, goes on where it was broken off, and finds what differs",
        arguments: StoreKind.all, StoreKind.all)
    func copies(from: StoreKind, to: StoreKind) async throws {
        try await from.withStore { source in
            try await to.withStore { target in
                try await fill(source)
                let ids = try await source.hostIDs()
                // As if it had been broken off after the first host.
                try await target.put(try #require(await source.archive(of: ids[0])))
                let receipt = try await FleetCopy(from: source, to: target).run(at: 5)
                #expect(receipt.hosts == 2 && receipt.patches == 1 && receipt.parameters == 1)
                #expect(receipt.issues == 4 && receipt.unchanged == 1)
                for id in ids {
                    #expect(try await target.archive(of: id) == source.archive(of: id))
                }
                #expect(try await target.orders() == source.orders())
                #expect(try await target.hosts() == source.hosts())
                let again = try await FleetCopy(from: source, to: target).run(at: 5)
                #expect(again.digest == receipt.digest && again.unchanged == 3)

                // A host that went on is copied anew; one that only the target has is not removed.
                _ = try await source.record(submission("a", plugins: ["n": 5]), submittedAt: 400)
                #expect(try await FleetCopy(from: source, to: target).run(at: 5).digest != receipt.digest)
                _ = try await target.record(submission("extra", plugins: [:]), submittedAt: 1)
                await #expect {
                    _ = try await FleetCopy(from: source, to: target).run(at: 5)
                } throws: { error in
                    if case .conflict(let reason) = error as? StoreError {
                        reason.contains("1 hosts")
                    } else {
                        false
                    }
                }
                #expect(try await target.host("extra") != nil)
                #expect(try await target.check() == [])
            }
        }
    }

    @Test("Hosts are gone over one at a time, in the order of their names", arguments: StoreKind.all)
    func reduces(kind: StoreKind) async throws {
        try await kind.withStore { store in
            try await fill(store)
            let names = try await store.reduceHosts(where: nil, into: "") { $0 += $1.hostname.name + " " }
            #expect(names == "a renamed ")
            let query = try Query(["suspended": true])
            #expect(try await store.reduceHosts(where: query, into: 0) { count, _ in count += 1 } == 1)
        }
    }
}
