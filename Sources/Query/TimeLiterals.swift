import PDBasics
import PDDocument

/// Replaces what stands for a point in time in a query by that point in time.
///
/// - `{"$date": "2024-06-01T12:00:00Z"}` or `{"$date": 1717243200000}`: as MongoDB's extended JSON writes it.
/// - `{"$ago": "1d12h"}`: that long before `now`.
struct TimeLiterals {
    let now: Int64?

    func resolve(_ document: Document, at place: [QueryError.Step]) throws(QueryError) -> Document {
        var writer = DocumentWriter()
        for (name, value) in document { writer.append(name, try resolve(value, at: place + [.name(name)])) }
        return writer.finish()
    }

    private func resolve(_ value: Value, at place: [QueryError.Step]) throws(QueryError) -> Value {
        switch value {
        case .document(let document):
            switch document.keys {
            case ["$date"]: return try date(document["$date"], at: place)
            case ["$ago"]: return try ago(document["$ago"], at: place)
            default: return .document(try resolve(document, at: place))
            }
        case .array(let values):
            var resolved: [Value] = []
            for (index, element) in values.enumerated() {
                resolved.append(try resolve(element, at: place + [.index(index)]))
            }
            return .array(resolved)
        default: return value
        }
    }

    private func date(_ value: Value?, at place: [QueryError.Step]) throws(QueryError) -> Value {
        if let milliseconds = value?.integer { return .date(milliseconds: Int64(milliseconds)) }
        guard let text = value?.string, let milliseconds = Timestamp.milliseconds(text.utf8) else {
            throw QueryError(
                .badOperand(
                    "$date", expected: "a time such as \"2024-06-01T12:00:00Z\", or milliseconds since 1970"),
                at: place)
        }
        return .date(milliseconds: milliseconds)
    }

    private func ago(_ value: Value?, at place: [QueryError.Step]) throws(QueryError) -> Value {
        guard let text = value?.string, let span = TimeSpan(text) else {
            throw QueryError(.badOperand("$ago", expected: "\(TimeSpan.form)"), at: place)
        }
        guard let now else { throw QueryError(.noClock, at: place) }
        let (milliseconds, overflow) = now.subtractingReportingOverflow(span.milliseconds)
        return .date(milliseconds: overflow ? Int64.min : milliseconds)
    }
}
