import PDBasics
import PDSettings
import PDStore

extension ServerSettings {
    /// What the mapping `database` says.
    struct Database: Sendable, Equatable {
        /// The file of the embedded store, where one is named.
        var file: String?
        /// The MongoDB database, where one is named and no file.
        var mongo: MongoSettings?
    }

    /// How long what is old is kept; for ever unless set.
    package struct Retention: Sendable, Equatable {
        /// For records of the audit trail.
        package var auditTrail: TimeSpan?
        /// For issues, from the time when they were closed.
        package var closedIssues: TimeSpan?

        /// Keeps everything that no span is given for.
        package init(auditTrail: TimeSpan? = nil, closedIssues: TimeSpan? = nil) {
            self.auditTrail = auditTrail
            self.closedIssues = closedIssues
        }
    }

    /// Reads `database`: a `file`, or version 1's names for a MongoDB server. A file wins, so that settings of version 1
    /// can be kept beside it.
    static func database(_ top: inout SettingsMapping) throws(SettingsError) -> Database {
        var mapping = try top.mapping("database")
        /// In files of version 1 what is not used may stand there blank.
        func text(_ name: String) throws(SettingsError) -> String? {
            try mapping.string(name).flatMap { $0.isEmpty ? nil : $0 }
        }
        let file = try text("file")
        let hosts = try mapping.strings("host").filter { !$0.isEmpty }
        let replicaSet = try text("replicaset")
        let name = try text("name")
        let username = try text("username")
        let password = try text("password")
        let tls = try mapping.bool("tls") ?? false
        try mapping.finish()
        guard file == nil, !hosts.isEmpty else { return Database(file: file) }
        do throws(StoreError) {
            return Database(
                mongo: try MongoSettings(
                    hosts: hosts, replicaSet: replicaSet, database: name, username: username,
                    password: password,
                    tls: tls))
        } catch {
            throw mapping.error("host", "\(error)")
        }
    }

    /// Reads `retention`.
    static func retention(_ top: inout SettingsMapping) throws(SettingsError) -> Retention {
        var mapping = try top.mapping("retention")
        let retention = Retention(
            auditTrail: try mapping.span("audit_trail"), closedIssues: try mapping.span("closed_issues"))
        try mapping.finish()
        return retention
    }
}
