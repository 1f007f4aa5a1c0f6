import PDProtocol
import PDStore
import Testing

@Suite("What a store keeps about patches")
struct OrderContractTests {
    private func name(_ text: String) throws -> Hostname { try #require(Hostname(text)) }

    private func patch(
        _ digit: String, at time: Int64 = 1, path: String = "bin/x", hosts: [String] = ["a", "b"],
        signed: Order.Signed? = nil
    ) throws -> Order {
        Order(
            id: String(repeating: digit, count: 24), submittedAt: time,
            files: [
                Order.File(path: path, mode: 0o755, content: [0, 1, 255]),
                Order.File(path: "\(path).gone", mode: 0, content: []),
            ],
            pendingHosts: try hosts.map(name), signed: signed)
    }

    @Test(
        "What hosts say became of an order is kept; one that is through with it waits no longer",
        arguments: StoreKind.all)
    func receipts(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let order = try patch("1")
            try await store.add(order)
            let running = OrderReceipt(state: .running, attempts: 1, returncode: 3, at: 5)
            let refused = OrderReceipt(state: .refused, reason: "not for this machine", at: 6)
            #expect(try await store.note(running, of: order.id, from: name("a")))
            #expect(try await store.note(refused, of: order.id, from: name("b")))
            #expect(try await store.orders(pendingFor: name("a")).count == 1)
            var known = try #require(try await store.order(order.id))
            #expect(try known.receipts == [name("a"): running, name("b"): refused])
            let failed = OrderReceipt(state: .failed, attempts: 2, returncode: 3, reason: "x", at: 7)
            #expect(try await store.note(failed, of: order.id, from: name("a")))
            #expect(try await store.orders(pendingFor: name("a")) == [])
            // What comes later, perhaps from another host under its name, changes nothing.
            let done = OrderReceipt(state: .done, at: 8)
            #expect(try await store.note(done, of: order.id, from: name("a")) == false)
            #expect(try await store.note(done, of: order.id, from: name("z")) == false)
            #expect(try await store.note(done, of: "unknown", from: name("a")) == false)
            #expect(try await store.note(done, of: order.id, from: name("b")))
            known = try #require(try await store.orders().first)
            #expect(try known.receipts == [name("a"): failed, name("b"): done])
            #expect(try known.completedHosts == [name("a"), name("b")])
        }
    }

    @Test("A patch comes back as it was added", arguments: StoreKind.all)
    func roundTrip(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let patch = try patch("1", signed: Order.Signed(statement: [1, 0, 2], signature: [3, 0]))
            try await store.add(patch)
            #expect(try await store.order(patch.id) == patch)
            #expect(try await store.orders(pendingFor: name("b")) == [patch])
            #expect(try await store.orders(pendingFor: name("c")) == [])
            let listed = try #require(try await store.orders().first)
            #expect(listed.files.map(\.path) == ["bin/x", "bin/x.gone"])
            #expect(listed.files.allSatisfy { $0.content.isEmpty })
            #expect(listed.pendingHosts == patch.pendingHosts)
            #expect(try await store.order("nothing") == nil)
            #expect(try await store.order("\0") == nil)
        }
    }

    @Test("An acknowledgement moves a host once", arguments: StoreKind.all)
    func acknowledges(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let patch = try patch("1", hosts: ["a", "b", "c"])
            try await store.add(patch)
            #expect(try await store.acknowledgeOrder(patch.id, by: name("b")))
            #expect(try await store.acknowledgeOrder(patch.id, by: name("a")))
            #expect(try await store.acknowledgeOrder(patch.id, by: name("b")) == false)
            #expect(try await store.acknowledgeOrder(patch.id, by: name("z")) == false)
            #expect(try await store.acknowledgeOrder("unknown", by: name("a")) == false)
            let after = try #require(try await store.order(patch.id))
            #expect(try after.pendingHosts == [name("c")])
            #expect(try after.completedHosts == [name("b"), name("a")])
            #expect(try await store.orders(pendingFor: name("a")) == [])
        }
    }

    @Test("Two patches of one path do not wait for one host", arguments: StoreKind.all)
    func conflicts(kind: StoreKind) async throws {
        try await kind.withStore { store in
            try await store.add(patch("1"))
            await #expect(throws: StoreError.self) { try await store.add(patch("1", path: "bin/other")) }
            await #expect(throws: StoreError.self) { try await store.add(patch("2", hosts: ["c", "b"])) }
            #expect(try await store.orders().count == 1)
            try await store.add(patch("3", hosts: ["c"]))
            try await store.add(patch("4", path: "bin/y"))
            #expect(try await store.orders().map(\.id.first) == ["4", "3", "1"])
            #expect(try await store.orders(pendingFor: name("b")).map(\.id.first) == ["1", "4"])
            // What a host has, stands in nobody's way.
            _ = try await store.acknowledgeOrder(patch("1").id, by: name("a"))
            try await store.add(patch("5", hosts: ["a"]))
        }
    }

    @Test("A cancelled patch waits for nobody; what hosts have is kept", arguments: StoreKind.all)
    func cancels(kind: StoreKind) async throws {
        try await kind.withStore { store in
            let patch = try patch("1", hosts: ["a", "b", "c"])
            try await store.add(patch)
            #expect(try await store.cancelOrder(patch.id, for: [name("b"), name("z")]) == [name("b")])
            #expect(try await store.acknowledgeOrder(patch.id, by: name("a")))
            #expect(try await store.cancelOrder(patch.id, for: nil) == [name("c")])
            let after = try #require(try await store.order(patch.id))
            #expect(try after.pendingHosts == [] && after.completedHosts == [name("a")])
            let unused = try self.patch("2")
            try await store.add(unused)
            #expect(try await store.cancelOrder(unused.id, for: nil).count == 2)
            #expect(try await store.order(unused.id) == nil)
            #expect(try await store.cancelOrder("unknown", for: nil) == [])
        }
    }
}
