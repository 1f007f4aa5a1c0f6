import CMongoC

/// Where a MongoDB database is, and how this process uses it.
public struct MongoSettings: Sendable, Equatable {
    /// The database's name unless one is set; that of version 1.
    public static let defaultDatabase = "penguindome"

    /// A connection string, <https://www.mongodb.com/docs/manual/reference/connection-string/>. It may hold a password:
    /// not for logs; see ``place``.
    public let uri: String
    /// The database's name.
    public let database: String
    /// How many connections, and threads that wait for them, there are at most.
    public var connections = 8
    /// How many calls may wait for a connection; one more fails as unavailable.
    public var maximumWaiting = 1024
    /// How long a call waits for a connection, and again for a server that can be written to, before it fails as
    /// unavailable. The connection string's `serverSelectionTimeoutMS` wins over the latter.
    public var patience: Duration = .seconds(5)
    /// How long a transaction that meets others is tried again.
    public var retryTime: Duration = .seconds(10)

    /// A whole connection string. The database is the one that it names, or else `penguindome`.
    ///
    /// - Throws: ``StoreError/conflict(_:)`` that says what is wrong with it, without its password.
    public init(uri: String) throws(StoreError) {
        let parsed = try Self.parsed(uri)
        self.uri = uri
        database = parsed.database ?? Self.defaultDatabase
        try Self.check(database)
    }

    /// The single settings under the names of version 1.
    ///
    /// - Parameters:
    ///   - hosts: `HOST`, `HOST:PORT` or `[ADDRESS]:PORT` each; or a single connection string.
    ///   - tls: whether to use TLS; the certificate is checked against the system's authorities.
    /// - Throws: ``StoreError/conflict(_:)``.
    public init(
        hosts: [String], replicaSet: String? = nil, database: String? = nil, username: String? = nil,
        password: String? = nil, tls: Bool = false
    ) throws(StoreError) {
        if let uri = hosts.first, uri.contains("://") {
            guard hosts.count == 1, replicaSet == nil, username == nil, password == nil, !tls else {
                throw .conflict(
                    "database: a mongodb:// URI says everything itself; set nothing beside it but the name")
            }
            let parsed = try Self.parsed(uri)
            self.uri = uri
            self.database = database ?? parsed.database ?? Self.defaultDatabase
            try Self.check(self.database)
            return
        }
        guard !hosts.isEmpty, hosts.allSatisfy({ Self.isHost($0) }) else {
            throw .conflict("database: a host must be HOST or HOST:PORT")
        }
        guard (username == nil) == (password == nil) else {
            throw .conflict("database: username and password belong together")
        }
        self.database = database ?? Self.defaultDatabase
        try Self.check(self.database)
        var credentials = ""
        if let username, let password {
            credentials = "\(Self.escaped(username)):\(Self.escaped(password))@"
        }
        var options = tls ? ["tls=true"] : []
        if let replicaSet { options.append("replicaSet=\(Self.escaped(replicaSet))") }
        let query = options.isEmpty ? "" : "?\(options.joined(separator: "&"))"
        uri = "mongodb://\(credentials)\(hosts.joined(separator: ","))/\(self.database)\(query)"
        _ = try MongoURI(uri)
    }

    private static func parsed(_ uri: String) throws(StoreError) -> MongoURI {
        let parsed = try MongoURI(uri)
        // Else a part of the password would be looked up as a host, and told in errors.
        if parsed.hosts.contains("@") {
            throw .conflict("database: an @ in a user name or password must be written %40")
        }
        return parsed
    }

    /// The place for people and logs: hosts and database, neither user nor password.
    public var place: String {
        guard let parsed = try? MongoURI(uri) else { return database }
        return "\(parsed.hosts) \(database)"
    }

    /// <https://www.mongodb.com/docs/manual/reference/limits/#naming-restrictions>, the strictest of them.
    private static func check(_ database: String) throws(StoreError) {
        let isFine =
            (1...63).contains(database.utf8.count)
            && database.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && !"/\\. \"$*<>:|?".utf8.contains($0) }
        guard isFine else { throw .conflict("database: \(database) is no name for a database") }
    }

    private static func isHost(_ text: String) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                    || "-._:[]".utf8.contains(byte)
            }
    }

    /// Percent-encoded but for RFC 3986's unreserved characters.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E:
                result.unicodeScalars.append(Unicode.Scalar(byte))
            default:
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}

/// A connection string as libmongoc understood it.
struct MongoURI: ~Copyable {
    let pointer: OpaquePointer

    init(_ text: String) throws(StoreError) {
        LibMongoC.ready()
        var error = bson_error_t()
        guard !text.utf8.contains(0), let made = mongoc_uri_new_with_error(text, &error) else {
            // The library's own message may repeat the string, with its password.
            throw .conflict("database: the connection string is not one that MongoDB's driver understands")
        }
        pointer = made
    }

    /// The database that it names.
    var database: String? {
        guard let name = mongoc_uri_get_database(pointer) else { return nil }
        let text = String(cString: name)
        return text.isEmpty ? nil : text
    }

    /// Hosts and ports.
    var hosts: String {
        var names: [String] = []
        var next = mongoc_uri_get_hosts(pointer)
        while let host = next {
            names.append(
                withUnsafeBytes(of: host.pointee.host_and_port) { bytes in
                    String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
                })
            next = UnsafePointer(host.pointee.next)
        }
        return names.joined(separator: ",")
    }

    /// Sets a number unless the string has it.
    func setDefault(_ option: String, _ value: Int32) {
        if mongoc_uri_get_option_as_int32(pointer, option, -1) < 0 {
            mongoc_uri_set_option_as_int32(pointer, option, value)
        }
    }

    deinit { mongoc_uri_destroy(pointer) }
}
