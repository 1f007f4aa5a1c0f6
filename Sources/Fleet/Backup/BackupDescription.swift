import PDBasics
import PDDocument

/// What a backup says of itself: the member `backup.json`.
package struct BackupDescription: Sendable, Equatable {
    /// The form that this software writes and reads.
    static let format = 1
    static let sizeLimit = 1 << 16

    /// When it was made, in milliseconds since 1970-01-01 UTC.
    package let madeAt: Int64
    /// The version of the software that made it.
    package let version: String
    /// How many hosts the database has.
    package let hosts: Int

    init(madeAt: Int64, version: String, hosts: Int) {
        self.madeAt = madeAt
        self.version = version
        self.hosts = hosts
    }

    /// The members that scripts rely on.
    package var document: Document {
        [
            "format": .int(Self.format), "made_at": .date(milliseconds: madeAt), "version": .string(version),
            "hosts": .int(hosts),
        ]
    }

    init(json: [UInt8]) throws(StateError) {
        let document: Document
        do {
            document = try Document(json: json, timestamps: .atSuffix)
        } catch { throw StateError("the backup does not say what it is: \(error)") }
        guard document["format"]?.integer == Self.format else {
            throw StateError("the backup has a form that this version does not know: use a newer one")
        }
        guard let madeAt = document["made_at"]?.milliseconds, let version = document["version"]?.string,
            let hosts = document["hosts"]?.integer
        else { throw StateError("the backup does not say what it is") }
        self.init(madeAt: madeAt, version: version, hosts: hosts)
    }
}
