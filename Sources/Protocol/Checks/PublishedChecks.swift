import PDDocument

/// The checks of a fleet as machines get them, to look at themselves: what is wrong, why, what to do about it, and the
/// queries that find it. `{"checks": [{"name": …, "title": …, "query": {…}}]}`.
///
/// Whoever writes them tells root what to type. So they are believed as part of a release, which people sign, or of the kit
/// that root joined the fleet with, and never because a server says them.
public struct PublishedChecks: Sendable, Equatable {
    /// What the file is called, in a release and in a kit.
    public static let fileName = "checks.json"
    /// The most bytes that are read of it.
    public static let sizeLimit = 1 << 20
    /// The most checks that there may be.
    private static let most = 1000

    /// One of them.
    public struct Check: Sendable, Equatable {
        /// What the fleet knows it by.
        public let name: String
        /// What is wrong with a machine that it finds.
        public let title: String
        /// Why that matters; may be empty.
        public var why = ""
        /// What to do about it; may be empty.
        public var fix = ""
        /// The same by distribution, as os-release(5) names it.
        public var fixOn: [String: String] = [:]
        /// `info`, `low`, `medium`, `high` or `critical`.
        public var severity = "medium"
        /// What finds a machine, over its report.
        public let query: Document
        /// The machines that it is about; nothing: all.
        public var appliesTo: Document?
        /// The machines that cannot tell; nothing: none.
        public var unknown: Document?
        /// Where a report says more about what was seen: names joined by dots; empty where nowhere.
        public var evidence = ""

        /// A check with nothing but what each must have.
        public init(name: String, title: String, query: Document) {
            self.name = name
            self.title = title
            self.query = query
        }

        /// What to do on a machine whose distribution has these names, the most exact one first.
        public func fix(on distributions: [String]) -> String {
            distributions.lazy.compactMap { fixOn[$0] }.first ?? fix
        }
    }

    /// In the order in which the fleet has them.
    public let checks: [Check]

    /// Checks in their order.
    public init(_ checks: [Check]) { self.checks = checks }

    /// The file's content.
    public var json: String {
        Document([("checks", .array(checks.map { .document($0.document) }))]).json() + "\n"
    }

    /// Reads the file's content.
    ///
    /// - Throws: ``ProtocolError``.
    public init(json: [UInt8]) throws(ProtocolError) {
        let document: Document
        do throws(JSONError) {
            document = try Document(json: json)
        } catch { throw .malformedJSON(error) }
        guard let values = document["checks"]?.array, values.count <= Self.most else {
            throw .badField("checks", reason: "must be a list of at most \(Self.most)")
        }
        checks = try values.map { value throws(ProtocolError) in
            guard let check = value.document.flatMap(Check.init(document:)) else {
                throw .badField("checks", reason: "each must have a name, a title and a query")
            }
            return check
        }
    }
}

extension PublishedChecks.Check {
    fileprivate var document: Document {
        var writer = DocumentWriter()
        writer.append("name", .string(name))
        writer.append("title", .string(title))
        writer.append("why", .string(why))
        writer.append("fix", .string(fix))
        writer.append(
            "fix_on",
            .document(Document(fixOn.sorted { $0.key < $1.key }.map { ($0.key, .string($0.value)) })))
        writer.append("severity", .string(severity))
        writer.append("query", .document(query))
        if let appliesTo { writer.append("applies_to", .document(appliesTo)) }
        if let unknown { writer.append("unknown", .document(unknown)) }
        writer.append("evidence", .string(evidence))
        return writer.finish()
    }

    fileprivate init?(document: Document) {
        guard let name = document["name"]?.string, let title = document["title"]?.string,
            let query = document["query"]?.document
        else { return nil }
        self.init(name: name, title: title, query: query)
        why = document["why"]?.string ?? ""
        fix = document["fix"]?.string ?? ""
        for (distribution, fix) in document["fix_on"]?.document ?? [:] { fixOn[distribution] = fix.string }
        severity = document["severity"]?.string ?? severity
        appliesTo = document["applies_to"]?.document
        unknown = document["unknown"]?.document
        evidence = document["evidence"]?.string ?? ""
    }
}
