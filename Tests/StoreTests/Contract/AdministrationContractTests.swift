import PDProtocol
import PDStore
import Testing

@Suite("What people do to hosts")
struct AdministrationContractTests {
    private func name(_ text: String) throws -> Hostname { try #require(Hostname(text)) }

    @Test("A suspended host is so until it reports, or people say otherwise", arguments: StoreKind.all)
    func suspends(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.record(submission("a", plugins: ["x": 1]), submittedAt: 1).id
            try await store.setSuspended(true, host: id)
            #expect(try await store.document("a")["suspended"] == .bool(true))
            try await store.setSuspended(false, host: id)
            #expect(try await store.document("a")["suspended"] == nil)
            try await store.setSuspended(true, host: id)
            _ = try await store.record(submission("a", plugins: ["x": 2]), submittedAt: 2)
            #expect(try await store.document("a")["suspended"] == nil)
            await #expect(throws: StoreError.self) {
                try await store.setSuspended(true, host: HostID(v1: try self.name("nobody")))
            }
        }
    }

    @Test("A renamed host keeps all that it has", arguments: StoreKind.all)
    func renames(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.record(submission("old", plugins: ["x": 1]), submittedAt: 1).id
            _ = try await store.record(submission("old", plugins: ["x": 2]), submittedAt: 2)
            _ = try await store.record(submission("other", plugins: [:]), submittedAt: 2)
            _ = try await store.reconcileIssues(found: ["disk": [id]], at: 3)
            try await store.setParameters(
                [HostParameter(hostname: name("old"), name: "user_email", values: ["x@example.com"])], at: 4)
            let patch = Order(
                id: String(repeating: "1", count: 24), submittedAt: 1, files: [],
                pendingHosts: [try name("old")])
            try await store.add(patch)

            await #expect(throws: StoreError.self) { try await store.rename(host: id, to: name("other")) }
            try await store.rename(host: id, to: name("new"))

            let host = try #require(try await store.host("new"))
            #expect(host.id == id && host.document["hostname"] == .string("new"))
            #expect(try await store.host("old") == nil)
            #expect(try await store.openIssues().map(\.hostname) == [name("new")])
            #expect(try await store.auditTrail(of: id, limit: 9).map(\.change.key) == ["plugins.x"])
            #expect(try await store.parameters().map(\.hostname) == [name("new")])
            #expect(try await store.orders(pendingFor: name("new")).map(\.id) == [patch.id])

            // The machine goes on, and so does somebody else under the old name.
            #expect(try await store.record(submission("new", plugins: ["x": 3]), submittedAt: 5).id == id)
            let successor = try await store.record(submission("old", plugins: ["x": 9]), submittedAt: 6)
            #expect(successor.disposition == .newHost && successor.id != id)
            #expect(try await store.host(id.text)?.hostname == name("new"))
            #expect(try await store.host("old")?.id == successor.id)
        }
    }

    @Test("A deleted host leaves nothing that waits for it", arguments: StoreKind.all)
    func deletes(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let id = try await store.record(submission("a", plugins: ["x": 1]), submittedAt: 1).id
            _ = try await store.record(submission("a", plugins: ["x": 2]), submittedAt: 2)
            _ = try await store.reconcileIssues(found: ["disk": [id]], at: 3)
            try await store.setParameters(
                [HostParameter(hostname: name("a"), name: "user_email", values: ["x@example.com"])], at: 4)
            let done = Order(
                id: String(repeating: "1", count: 24), submittedAt: 1, files: [],
                pendingHosts: [try name("a"), try name("b")])
            let waiting = Order(
                id: String(repeating: "2", count: 24), submittedAt: 1, files: [],
                pendingHosts: [try name("a")])
            try await store.add(done)
            try await store.add(waiting)
            _ = try await store.acknowledgeOrder(done.id, by: name("a"))

            try await store.delete(host: id)

            #expect(try await store.hosts() == [])
            #expect(try await store.openIssues() == [])
            #expect(try await store.parameters() == [])
            #expect(try await store.auditTrail(of: id, limit: 9) == [])
            #expect(try await store.order(waiting.id) == nil)
            #expect(try await store.order(done.id)?.completedHosts == [name("a")])
            await #expect(throws: StoreError.self) { try await store.delete(host: id) }
            let again = try await store.record(submission("a", plugins: ["x": 1]), submittedAt: 9)
            #expect(again.disposition == .newHost)
        }
    }

    @Test("Parameters are set together, replaced and unset", arguments: StoreKind.all)
    func parameters(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let first = [
                HostParameter(hostname: try name("b"), name: "user_clients", values: ["a", "c"]),
                HostParameter(hostname: try name("a"), name: "user_email", values: ["ä@example.com"]),
                HostParameter(hostname: try name("a"), name: "user_clients", values: ["b"]),
            ]
            try await store.setParameters(first, at: 1)
            #expect(try await store.parameters() == [first[2], first[1], first[0]])
            let changed = HostParameter(hostname: try name("b"), name: "user_clients", values: ["a"])
            let unset = HostParameter(hostname: try name("a"), name: "user_email", values: [])
            try await store.setParameters([changed, unset], at: 2)
            #expect(try await store.parameters() == [first[2], changed])
        }
    }

    @Test("One holder at a time has a lease, until it ends or is given back", arguments: StoreKind.all)
    func leases(kind: StoreKind) async throws {
        try await kind.withStore { store in
            #expect(try await store.takeLease("audit", holder: "one", at: 100, duration: 50))
            #expect(try await store.takeLease("audit", holder: "two", at: 149, duration: 50) == false)
            #expect(try await store.takeLease("other", holder: "two", at: 149, duration: 50))
            #expect(try await store.takeLease("audit", holder: "one", at: 149, duration: 50))
            #expect(try await store.takeLease("audit", holder: "two", at: 198, duration: 50) == false)
            #expect(try await store.takeLease("audit", holder: "two", at: 199, duration: 50))
            try await store.releaseLease("audit", holder: "one")
            #expect(try await store.takeLease("audit", holder: "one", at: 200, duration: 50) == false)
            try await store.releaseLease("audit", holder: "two")
            #expect(try await store.takeLease("audit", holder: "one", at: 200, duration: 50))
        }
    }
}
