import PDDocument
import PDQuery
import PDStore

/// Which part of a check's query found a host, or did not, and on which value.
package struct CheckExplanation: Sendable, Equatable {
    /// One condition of the query.
    package struct Part: Sendable, Equatable {
        /// How deep it lies within `$and`, `$or` and the like.
        package let depth: Int
        /// The condition as JSON.
        package let condition: String
        package let matches: Bool
        /// What the report has there, as JSON; nothing where it is not about one path, or nothing is there.
        package let value: String?
    }

    package let matches: Bool
    package let parts: [Part]

    /// - Parameter now: what `$ago` counts back from, in milliseconds since 1970-01-01 UTC.
    package init(_ query: Document, host: Document, now: Int64) throws {
        matches = try Query(query, now: now).matches(host)
        var parts: [Part] = []
        try Self.explain(query, host, now, depth: 0, &parts)
        self.parts = parts
    }

    private static func explain(
        _ query: Document, _ host: Document, _ now: Int64, depth: Int, _ parts: inout [Part]
    ) throws {
        for (name, value) in query {
            let single = Document([(name, value)])
            let matches = try Query(single, now: now).matches(host)
            if name.hasPrefix("$"), let alternatives = value.array {
                parts.append(Part(depth: depth, condition: name, matches: matches, value: nil))
                for case .document(let alternative) in alternatives {
                    try explain(alternative, host, now, depth: depth + 1, &parts)
                }
            } else {
                let found = host[name.split(separator: ".").map(String.init)]
                parts.append(
                    Part(
                        depth: depth, condition: single.json(), matches: matches,
                        value: found.map { Document([("", $0)]).json() }.map {
                            String($0.dropFirst(4).dropLast())
                        }))
            }
        }
    }
}
