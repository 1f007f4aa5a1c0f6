import PDDocument
import PDFiles

/// What a collector keeps from one run to the next: values by name, each with the time when it was true.
///
/// For facts that can be seen at times only (settings of a user who is logged in) and for answers that are dear (a list
/// of updates). What is kept is a help, never a need: a missing or damaged file is an empty memory.
public struct CollectorMemory: Sendable {
    /// A value with its time.
    public struct Fact: Sendable, Equatable {
        /// What was found.
        public let value: Value
        /// When it was found, in milliseconds since 1970-01-01 UTC.
        public let at: Int64

        /// A fact.
        public init(value: Value, at: Int64) {
            self.value = value
            self.at = at
        }
    }

    /// The collector's own directory, private to the agent; nothing where nothing is kept.
    public let directory: String?
    /// Whether this run may change it: one that only shows what it finds may not.
    public let isWritable: Bool

    /// A memory in a directory, which is made when something is first kept.
    public init(directory: String?, isWritable: Bool = true) {
        self.directory = directory
        self.isWritable = isWritable
    }

    /// Keeps nothing.
    public static let none = CollectorMemory(directory: nil, isWritable: false)

    private var file: String? { directory.map { "\($0)/memory.json" } }

    /// All that is kept, by name.
    public func facts() -> [String: Fact] {
        guard let file, let bytes = try? Files.read(file, links: .refuse),
            let document = try? Document(json: bytes, timestamps: .atSuffix)
        else { return [:] }
        var facts: [String: Fact] = [:]
        for (name, entry) in document {
            if let value = entry.document?["value"], let at = entry.document?["found_at"]?.milliseconds {
                facts[name] = Fact(value: value, at: at)
            }
        }
        return facts
    }

    /// Replaces all that is kept.
    public func keep(_ facts: [String: Fact]) throws(FileError) {
        guard isWritable, let directory, let file else { return }
        try Files.makePrivateDirectory(directory)
        let document = Document(
            facts.sorted { $0.key < $1.key }.map { name, fact in
                let entry: Value = ["value": fact.value, "found_at": .date(milliseconds: fact.at)]
                return (name, entry)
            })
        try Files.writeAtomically(Array(document.json().utf8), to: file)
    }

    /// The kept value where it is younger than that, else a new one, which is then kept.
    ///
    /// - Parameters:
    ///   - age: how old it may be, in milliseconds. One from the future is not young.
    ///   - now: milliseconds since 1970-01-01 UTC.
    public func value(
        _ name: String, notOlderThan age: Int64, now: Int64, orElse find: () throws -> Value
    ) throws -> Fact {
        var facts = facts()
        if let fact = facts[name], fact.at <= now, now - fact.at < age { return fact }
        let fact = Fact(value: try find(), at: now)
        facts[name] = fact
        try keep(facts)
        return fact
    }
}
