import PDDocument
import PDProtocol

extension MongoStore {
    /// Marks a host as suspended, or not.
    public func setSuspended(_ suspended: Bool, host: HostID) async throws(StoreError) {
        try await change(host) { key, connection in
            try connection.update(
                MongoSchema.hosts, where: ["_id": key.key],
                suspended ? ["$set": ["suspended": true]] : ["$unset": ["suspended": true]])
        }
    }

    /// Gives a host another name.
    public func rename(host: HostID, to name: Hostname) async throws(StoreError) {
        try await change(host) { key, connection in
            guard key.hostname != name else { return }
            guard try connection.first(MongoSchema.hosts, where: ["hostname": name.value]) == nil else {
                throw StoreError.conflict("a host is called \(name) already")
            }
            for turnstile in [MongoSchema.Turnstile.issues, .parameters, .patches] {
                try connection.pass(turnstile)
            }
            try connection.keepDeparted(key.hostname)
            let rename: Document = ["$set": ["hostname": name.value]]
            // What version 1 wrote is known by the name only.
            try connection.update(
                MongoSchema.auditTrail, where: ["hostname": key.hostname.value, "host": ["$exists": false]],
                ["$set": ["host": .string(key.id.text)]], all: true)
            try connection.update(
                MongoSchema.hosts, where: ["_id": key.key],
                ["$set": ["hostname": name.value, "penguindome.id": .string(key.id.text)]])
            // Where something stands under the new name already, that of the renamed host counts.
            try connection.delete(MongoSchema.issues, where: ["hostname": name.value])
            try connection.update(
                MongoSchema.issues, where: ["hostname": key.hostname.value], rename, all: true)
            for parameter in try connection.all(
                MongoSchema.parameters, where: ["hostname": key.hostname.value])
            {
                guard let parameter = parameter["parameter"] else { continue }
                try connection.delete(
                    MongoSchema.parameters, where: ["hostname": name.value, "parameter": parameter])
            }
            try connection.update(
                MongoSchema.parameters, where: ["hostname": key.hostname.value], rename, all: true)
            try Self.renameInPatches(key.hostname, to: name, connection)
        }
    }

    private static func renameInPatches(
        _ old: Hostname, to new: Hostname, _ connection: MongoConnection
    ) throws {
        let touched = try connection.all(
            MongoSchema.patches,
            where: ["$or": [["pending_hosts": old.value], ["completed_hosts": old.value]]],
            ["projection": ["files": 0]])
        for stored in touched {
            guard let key = stored["_id"] else { continue }
            let patch = try Order(stored: stored)
            func renamed(_ hosts: [Hostname]) -> Value {
                .array(hosts.filter { $0 != new }.map { $0 == old ? new.value : $0.value })
            }
            try connection.update(
                MongoSchema.patches, where: ["_id": key],
                [
                    "$set": [
                        "pending_hosts": renamed(patch.pendingHosts),
                        "completed_hosts": renamed(patch.completedHosts),
                        "receipts": .array(
                            patch.receipts.filter { $0.key != new }.map { host, receipt in
                                .document(receipt.stored(host == old ? new : host))
                            }),
                    ]
                ])
        }
    }

    /// Removes a host with its issues, audit trail and parameters.
    public func delete(host: HostID) async throws(StoreError) {
        try await change(host) { key, connection in
            for turnstile in [MongoSchema.Turnstile.issues, .parameters, .patches] {
                try connection.pass(turnstile)
            }
            try connection.keepDeparted(key.hostname)
            try connection.delete(MongoSchema.hosts, where: ["_id": key.key])
            try connection.delete(MongoSchema.auditTrail, where: AuditRecord.filter(key))
            try connection.delete(MongoSchema.issues, where: ["hostname": key.hostname.value])
            try connection.delete(MongoSchema.parameters, where: ["hostname": key.hostname.value])
            let waiting = try connection.all(
                MongoSchema.patches, where: ["pending_hosts": key.hostname.value], ["projection": ["_id": 1]])
            for patch in waiting.compactMap({ $0["_id"] }) {
                try connection.stopWaiting(for: key.hostname, patch: patch)
            }
        }
    }

    private func change(
        _ host: HostID, _ body: @escaping @Sendable (HostKey, MongoConnection) throws -> Void
    ) async throws(StoreError) {
        try await transaction { connection in
            guard let key = try connection.key(of: host) else { throw StoreError.unknownHost(host.text) }
            try body(key, connection)
        }
    }
}

// MARK: - Leases

extension MongoStore {
    /// Takes or prolongs a lease.
    public func takeLease(
        _ name: String, holder: String, at: Int64, duration: Int64
    ) async throws(StoreError) -> Bool {
        let (sum, overflow) = at.addingReportingOverflow(duration)
        let end = overflow ? Int64.max : sum
        return try await transaction { connection in
            try connection.pass(.leases)
            let lease = try connection.first(MongoSchema.leases, where: ["_id": .string(name)])
            if let lease, lease["holder"]?.string != holder, lease["ends_at"]?.milliseconds ?? .min > at {
                return false
            }
            try connection.delete(MongoSchema.leases, where: ["_id": .string(name)])
            try connection.insert(
                [["_id": .string(name), "holder": .string(holder), "ends_at": .date(milliseconds: end)]],
                into: MongoSchema.leases)
            return true
        }
    }

    /// Gives a lease back, where the caller has it.
    public func releaseLease(_ name: String, holder: String) async throws(StoreError) {
        try await transaction { connection in
            _ = try connection.delete(
                MongoSchema.leases, where: ["_id": .string(name), "holder": .string(holder)])
        }
    }
}
