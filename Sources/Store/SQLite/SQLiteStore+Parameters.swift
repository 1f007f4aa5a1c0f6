import GRDB
import PDProtocol

extension SQLiteStore {
    /// All parameters, by hostname and name.
    public func parameters() async throws(StoreError) -> [HostParameter] {
        try await use {
            try await pool.read { db in
                let rows = try Row.fetchCursor(
                    db, sql: "SELECT hostname, name, value FROM parameters ORDER BY hostname, name, position")
                var parameters: [HostParameter] = []
                while let row = try rows.next() {
                    let hostname = try Hostname(stored: row.decode(atIndex: 0))
                    let name: String = try row.decode(atIndex: 1)
                    let value: String = try row.decode(atIndex: 2)
                    if let last = parameters.last, last.hostname == hostname, last.name == name {
                        parameters[parameters.count - 1] = HostParameter(
                            hostname: hostname, name: name, values: last.values + [value])
                    } else {
                        parameters.append(HostParameter(hostname: hostname, name: name, values: [value]))
                    }
                }
                return parameters
            }
        }
    }

    /// Sets parameters, several together or none. One without values is unset.
    public func setParameters(_ parameters: [HostParameter], at: Int64) async throws(StoreError) {
        try await use {
            try await pool.write { db in
                for parameter in parameters {
                    try db.execute(
                        sql: "DELETE FROM parameters WHERE hostname = ? AND name = ?",
                        arguments: [parameter.hostname.name, parameter.name])
                    for (position, value) in parameter.values.enumerated() {
                        try db.execute(
                            sql: """
                                INSERT INTO parameters (hostname, name, position, value, updated_at)
                                VALUES (?, ?, ?, ?, ?)
                                """,
                            arguments: [parameter.hostname.name, parameter.name, position, value, at])
                    }
                }
            }
        }
    }
}
