import PDDocument
import PDProtocol

/// A host as it stands in the collection `clients`.
///
/// Beside the fields that version 1 knows there is one of our own, `penguindome`: `{id, changes}`, the host's
/// identifier and how many records its audit trail was ever given. A host that version 1 wrote has it only after its
/// next submission; until then its identifier is the one that its name gives.
struct StoredHost {
    static let ownField = "penguindome"

    /// `_id`, whatever its type.
    let key: Value
    let host: FleetHost
    /// How many records its audit trail was ever given.
    let changes: Int

    /// Nothing where the document is of no host: its name is none.
    init?(_ stored: Document) throws(StoreError) {
        guard let name = stored["hostname"]?.string.flatMap({ Hostname($0) }), let key = stored["_id"] else {
            return nil
        }
        self.key = key
        let own = stored[Self.ownField]?.document ?? Document()
        let visible = Document(
            stored.lazy.filter { $0.key != "_id" && $0.key != Self.ownField }.map { ($0.key, $0.value) })
        host = FleetHost(
            id: try HostID(own: own, of: name), hostname: name,
            submittedAt: stored["submitted_at"]?.milliseconds ?? 0, document: visible)
        changes = own["changes"]?.integer ?? 0
    }

    /// The document that is stored for a host.
    static func stored(key: Value?, document: Document, id: HostID, changes: Int) -> Document {
        var writer = DocumentWriter()
        if let key { writer.append("_id", key) }
        for (name, value) in document where name != "_id" && name != ownField { writer.append(name, value) }
        writer.append(ownField, ["id": .string(id.text), "changes": .int64(Int64(changes))])
        return writer.finish()
    }
}

extension HostID {
    /// The identifier of a stored host.
    init(own: Document, of name: Hostname) throws(StoreError) {
        guard let text = own["id"] else {
            self.init(v1: name)
            return
        }
        guard let id = text.string.flatMap({ HostID($0) }) else {
            throw .corrupt(reason: "host \(name) has a malformed identifier")
        }
        self = id
    }
}

/// A host without what it reported.
struct HostKey: Sendable {
    /// `_id`, whatever its type.
    let key: Value
    let id: HostID
    let hostname: Hostname

    static let projection: Document = ["hostname": 1, "penguindome.id": 1]

    init?(_ stored: Document) throws(StoreError) {
        guard let name = stored["hostname"]?.string.flatMap({ Hostname($0) }), let key = stored["_id"] else {
            return nil
        }
        self.key = key
        id = try HostID(own: stored[StoredHost.ownField]?.document ?? Document(), of: name)
        hostname = name
    }
}

extension MongoConnection {
    /// The host of that name.
    func host(named name: Hostname) throws -> StoredHost? {
        try first(MongoSchema.hosts, where: ["hostname": .string(name.name)]).flatMap { try StoredHost($0) }
    }

    /// The name and key of the host with that identifier.
    ///
    /// One that version 1 wrote does not have it in its document, and is found by looking at the names of all such.
    func key(of id: HostID) throws -> HostKey? {
        let projection: Document = ["projection": .document(HostKey.projection)]
        let own = try first(MongoSchema.hosts, where: ["penguindome.id": .string(id.text)], projection)
        if let own { return try HostKey(own) }
        var found: HostKey?
        try forEach(MongoSchema.hosts, where: ["penguindome.id": ["$exists": false]], projection) {
            document in
            if let key = try HostKey(document), key.id == id { found = key }
            return found == nil
        }
        return found
    }

    /// All names and keys.
    func hostKeys() throws -> [HostKey] {
        try all(
            MongoSchema.hosts, where: [:],
            ["projection": .document(HostKey.projection), "sort": ["hostname": 1]]
        ).compactMap { try HostKey($0) }
    }

    /// The identifier that its name gives, unless a host has it that was renamed since.
    func freeID(for hostname: Hostname) throws -> HostID {
        let derived = HostID(v1: hostname)
        let owner = try first(
            MongoSchema.hosts, where: ["penguindome.id": .string(derived.text)], ["projection": ["_id": 1]])
        return owner == nil ? derived : try HostID.random()
    }
}
