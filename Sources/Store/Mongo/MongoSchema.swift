import PDDocument

/// The collections, and what is made when a database is opened.
///
/// The version stands in `penguindome_meta`, in the document `schema`. The other documents there are turnstiles: a
/// transaction that must not run beside another of its kind counts one up, and so meets the other.
enum MongoSchema {
    /// The version that this software writes.
    static let version = 1

    static let hosts = "clients"
    static let auditTrail = "audit_trail"
    static let issues = "issues"
    static let patches = "patches"
    static let parameters = "client_parameters"
    static let leases = "penguindome_leases"
    static let meta = "penguindome_meta"

    /// The collection of the database that holds a collection of records.
    static func name(of collection: RecordCollection) -> String { "penguindome_\(collection.rawValue)" }

    /// What a transaction may have to itself.
    enum Turnstile: String, CaseIterable {
        case issues, parameters, patches, leases
    }

    private struct Index {
        let collection: String
        let name: String
        let keys: Document
        var isUnique = false
        var isSparse = false
    }

    private static let indices = [
        Index(collection: hosts, name: "hostname", keys: ["hostname": 1], isUnique: true),
        Index(
            collection: hosts, name: "penguindome_id", keys: ["penguindome.id": 1], isUnique: true,
            isSparse: true),
        Index(collection: auditTrail, name: "penguindome_host", keys: ["host": 1, "number": 1]),
        Index(collection: auditTrail, name: "penguindome_hostname", keys: ["hostname": 1, "audited_at": 1]),
        Index(collection: auditTrail, name: "penguindome_time", keys: ["audited_at": 1]),
        Index(
            collection: issues, name: "penguindome_open", keys: ["closed_at": 1, "name": 1, "hostname": 1]),
        Index(collection: issues, name: "penguindome_hostname", keys: ["hostname": 1]),
        Index(collection: patches, name: "penguindome_pending", keys: ["pending_hosts": 1]),
        Index(collection: parameters, name: "penguindome_host", keys: ["hostname": 1, "parameter": 1]),
    ]

    /// Checks that the database is one to work on, then makes what it lacks.
    static func open(_ connection: MongoConnection) throws {
        let hello = try connection.run(["hello": 1], on: "admin")
        guard hello["setName"] != nil || hello["msg"] == "isdbgrid" else {
            throw StoreError.conflict(
                "the MongoDB server stands alone and so has no transactions: start it with --replSet and call rs.initiate() once"
            )
        }
        let known = try connection.first(meta, where: ["_id": "schema"])
        if let known {
            guard let found = known["version"]?.integer else {
                throw StoreError.corrupt(reason: "the schema version is no number")
            }
            guard found <= version else { throw StoreError.newerSchema(found: found, supported: version) }
        }
        for collection in Set(indices.map(\.collection)) { try makeIndices(of: collection, connection) }
        // Collections cannot be made inside of a transaction everywhere.
        for name in [meta, leases] + RecordCollection.allCases.map(name(of:)) {
            try makeCollection(name, connection)
        }
        for turnstile in Turnstile.allCases {
            try insertOnce(["_id": .string(turnstile.rawValue), "turns": .int64(0)], connection)
        }
        if known == nil { try insertOnce(["_id": "schema", "version": .int(version)], connection) }
    }

    private static func insertOnce(_ document: Document, _ connection: MongoConnection) throws {
        guard let id = document["_id"] else { return }
        guard try connection.first(meta, where: ["_id": id]) == nil else { return }
        do {
            try connection.run([
                "insert": .string(meta), "documents": [.document(document)],
                "writeConcern": ["w": "majority"],
            ])
        } catch let failure as MongoFailure where failure.isDuplicate {
            // Another process was faster.
        }
    }

    private static func makeCollection(_ name: String, _ connection: MongoConnection) throws {
        do {
            try connection.run(["create": .string(name), "writeConcern": ["w": "majority"]])
        } catch let failure as MongoFailure where failure.code == 48 {
            // It is there.
        }
    }

    private static func makeIndices(of collection: String, _ connection: MongoConnection) throws {
        var existing: [Document] = []
        do {
            let answer = try connection.run([
                "listIndexes": .string(collection), "cursor": ["batchSize": 1000],
            ])
            existing = (answer[["cursor", "firstBatch"]]?.array ?? []).compactMap(\.document)
        } catch let failure as MongoFailure where failure.code == 26 {
            // The collection is not there yet.
        }
        for index in indices where index.collection == collection {
            // Whatever it is called, and whoever made it.
            let isThere = existing.contains { known in
                known["key"]?.document.map { isSame($0, index.keys) } == true
                    && (!index.isUnique || known["unique"] == true)
            }
            guard !isThere else { continue }
            do {
                try connection.run([
                    "createIndexes": .string(collection),
                    "indexes": [
                        [
                            "key": .document(index.keys), "name": .string(index.name),
                            "unique": .bool(index.isUnique), "sparse": .bool(index.isSparse),
                        ]
                    ], "writeConcern": ["w": "majority"],
                ])
            } catch let failure as MongoFailure where failure.isDuplicate {
                throw StoreError.corrupt(
                    reason:
                        "several documents of \(collection) have the same \(index.keys.keys.joined(separator: ", "))"
                )
            }
        }
    }

    /// Whether two indices have the same keys; one program writes 1, another 1.0.
    private static func isSame(_ left: Document, _ right: Document) -> Bool {
        left.map(\.key) == right.map(\.key)
            && zip(left, right).allSatisfy { pair in
                pair.0.value == pair.1.value || pair.0.value == .double(1) || pair.0.value == .int64(1)
            }
    }
}

extension MongoConnection {
    /// Waits for the turn of this transaction among those of its kind.
    ///
    /// - Returns: a number that grows with each.
    @discardableResult
    func pass(_ turnstile: MongoSchema.Turnstile) throws -> Int {
        let answer = try run([
            "findAndModify": .string(MongoSchema.meta), "query": ["_id": .string(turnstile.rawValue)],
            "update": ["$inc": ["turns": .int64(1)]], "new": true,
        ])
        guard let turns = answer[["value", "turns"]]?.integer else {
            throw StoreError.corrupt(reason: "penguindome_meta lacks the document \(turnstile.rawValue)")
        }
        return turns
    }
}
