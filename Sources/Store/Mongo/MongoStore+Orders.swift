import PDDocument
import PDProtocol

extension MongoStore {
    private static let newestFirst: Document = ["number": -1, "submitted_at": -1, "_id": -1]
    private static let oldestFirst: Document = ["number": 1, "submitted_at": 1, "_id": 1]

    /// Adds a patch.
    public func add(_ patch: Order) async throws(StoreError) {
        guard let key = Order.key(patch.id) else {
            throw .conflict("\(patch.id) is no identifier of a patch")
        }
        try await transaction { connection in
            let number = try connection.pass(.patches)
            guard try connection.first(MongoSchema.patches, where: ["_id": key]) == nil else {
                throw StoreError.conflict("there is a patch \(patch.id) already")
            }
            try Self.refuseConflict(patch, connection)
            do {
                try connection.insert([patch.stored(key: key, number: number)], into: MongoSchema.patches)
            } catch let failure as MongoFailure where failure.isTooLarge {
                throw StoreError.conflict("the patch is too large: a MongoDB database takes up to 16 MiB")
            }
        }
    }

    private static func refuseConflict(_ patch: Order, _ connection: MongoConnection) throws {
        let others = try connection.all(
            MongoSchema.patches,
            where: [
                "pending_hosts": ["$in": .array(patch.pendingHosts.map(\.value))],
                "files.path": ["$in": .array(patch.files.map { .string($0.path) })],
            ], ["projection": ["files.content": 0]])
        for stored in others {
            let other = try Order(stored: stored)
            guard let host = patch.pendingHosts.first(where: other.pendingHosts.contains),
                let file = patch.files.first(where: { file in other.files.contains { $0.path == file.path } })
            else { continue }
            throw StoreError.conflict(
                "patch \(other.id), which waits for \(host), names \(file.path) as well")
        }
    }

    /// All patches, the newest first, without their files' content.
    public func orders() async throws(StoreError) -> [Order] {
        try await call { connection in
            try connection.all(
                MongoSchema.patches, where: [:],
                ["sort": .document(Self.newestFirst), "projection": ["files.content": 0]]
            ).map { try Order(stored: $0) }
        }
    }

    /// One patch, whole.
    public func order(_ id: String) async throws(StoreError) -> Order? {
        guard let key = Order.key(id) else { return nil }
        return try await call { connection in
            try connection.first(MongoSchema.patches, where: ["_id": key]).map { try Order(stored: $0) }
        }
    }

    /// The patches that wait for a host, whole, the oldest first.
    public func orders(pendingFor host: Hostname) async throws(StoreError) -> [Order] {
        try await call { connection in
            try connection.all(
                MongoSchema.patches, where: ["pending_hosts": host.value],
                ["sort": .document(Self.oldestFirst)]
            ).map { try Order(stored: $0) }
        }
    }

    /// Moves a host from those that wait for a patch to those that have it.
    public func acknowledgeOrder(_ id: String, by host: Hostname) async throws(StoreError) -> Bool {
        guard let key = Order.key(id) else { return false }
        return try await transaction { connection in
            try connection.update(
                MongoSchema.patches, where: ["_id": key, "pending_hosts": host.value],
                ["$pull": ["pending_hosts": host.value], "$push": ["completed_hosts": host.value]]) == 1
        }
    }

    /// Notes what a host that waits for an order says became of it.
    public func note(
        _ receipt: OrderReceipt, of id: String, from host: Hostname
    ) async throws(StoreError) -> Bool {
        guard let key = Order.key(id) else { return false }
        return try await transaction { connection in
            let waiting: Document = ["_id": key, "pending_hosts": host.value]
            guard
                try connection.update(
                    MongoSchema.patches, where: waiting, ["$pull": ["receipts": ["host": host.value]]]) == 1
            else { return false }
            var change: Document = ["$push": ["receipts": .document(receipt.stored(host))]]
            if receipt.state.isFinal {
                change = [
                    "$pull": ["pending_hosts": host.value],
                    "$push": ["completed_hosts": host.value, "receipts": .document(receipt.stored(host))],
                ]
            }
            return try connection.update(MongoSchema.patches, where: waiting, change) == 1
        }
    }

    /// Takes hosts off those that a patch waits for; all of them where none are named.
    public func cancelOrder(_ id: String, for hosts: [Hostname]?) async throws(StoreError) -> [Hostname] {
        guard let key = Order.key(id) else { return [] }
        return try await transaction { connection in
            guard
                let stored = try connection.first(
                    MongoSchema.patches, where: ["_id": key], ["projection": ["files": 0]])
            else { return [] }
            let cancelled = try Order(stored: stored).pendingHosts.filter { hosts?.contains($0) ?? true }
            for name in cancelled { try connection.stopWaiting(for: name, patch: key) }
            return cancelled
        }
    }
}

extension MongoConnection {
    /// Takes a host off those that a patch waits for, and removes the patch where nothing is left of it.
    func stopWaiting(for name: Hostname, patch key: Value) throws {
        try update(
            MongoSchema.patches, where: ["_id": key],
            ["$pull": ["pending_hosts": name.value, "receipts": ["host": name.value]]])
        try delete(
            MongoSchema.patches,
            where: ["_id": key, "pending_hosts": ["$size": 0], "completed_hosts": ["$size": 0]])
    }
}
