import PDDocument
import PDProtocol
import PDSecrets

/// What was looked at of the release in use, so that each file is hashed once a day, and not all of them in each cycle.
///
/// In each cycle every file is looked at for its size, mode and the time of its last change; what has changed since, what was
/// found to differ before, and as many bytes as the time since the last cycle is of a day are hashed. Root can change a file
/// without leaving such a trace, and is found out within the day.
struct IntegrityMemory: Equatable {
    /// After this time everything is hashed once, in milliseconds.
    static let day: Int64 = 86_400_000
    /// How much earlier than it was a change may be dated, in milliseconds: file systems keep time coarsely.
    static let coarseness: Int64 = 2000

    /// SHA-256 of the manifest that the rest is about.
    let manifest: [UInt8]
    /// When the release was looked at last, in milliseconds since 1970-01-01 UTC.
    var lookedAt: Int64
    /// The number of the file that is to be hashed next.
    var position = 0
    /// How many bytes may be hashed, of those that are not hashed for another reason.
    var credit = 0
    /// The paths of the files whose content differed.
    var changed: Set<String> = []

    /// What is known of a release that is seen for the first time.
    init(manifest: [UInt8], lookedAt: Int64) {
        self.manifest = manifest
        self.lookedAt = lookedAt
    }

    /// As ``document`` has kept it; nothing where that is something else, which is as good as no memory.
    init?(_ document: Document) {
        guard let manifest = document["manifest"]?.string.flatMap({ BaseN.hexadecimal.decode($0.utf8) }),
            let lookedAt = document["looked_at"]?.milliseconds, let position = document["position"]?.integer,
            let credit = document["credit"]?.integer, let changed = document["changed"]?.array
        else { return nil }
        self.init(manifest: manifest, lookedAt: lookedAt)
        (self.position, self.credit) = (max(0, position), max(0, credit))
        self.changed = Set(changed.compactMap(\.string))
    }

    /// To be kept.
    var document: Document {
        [
            "manifest": .string(BaseN.hexadecimal.text(manifest)), "looked_at": .date(milliseconds: lookedAt),
            "position": .int(position), "credit": .int(credit),
            "changed": .array(changed.sorted().map(Value.string)),
        ]
    }

    /// Begins another look.
    ///
    /// - Returns: the places of the files that are to be hashed whatever is seen of them; nil for all of them.
    mutating func begin(
        _ files: [SignedFile], manifest: [UInt8], at time: Int64
    ) -> (since: Int64, places: Set<Int>)? {
        let since = lookedAt
        let (passed, overflow) = time.subtractingReportingOverflow(since)
        guard manifest == self.manifest, !overflow, (0..<Self.day).contains(passed), !files.isEmpty else {
            self = IntegrityMemory(manifest: manifest, lookedAt: time)
            return nil
        }
        lookedAt = time
        let total = files.reduce(0) { $0 + $1.size }
        // Rounded up: a day's cycles must come to all of it.
        let share = Double(total) * Double(passed) / Double(Self.day)
        credit = min(credit, total) + Int(share.rounded(.up))
        var places: Set<Int> = []
        for _ in files.indices {
            let next = position % files.count
            guard credit >= files[next].size else { break }
            credit -= files[next].size
            places.insert(next)
            position = next + 1
        }
        return (since, places)
    }
}
