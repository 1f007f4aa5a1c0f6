import PDBasics
import PDDocument
import PDStore

/// Puts points in time in the place of `$ago` in a check's query, as the check counts time: by its calendar, and about when a
/// host reported without the time in which no server ran.
struct QueryClock {
    let now: Int64
    let calendar: WorkingCalendar?
    let presence: ServerPresence

    func resolve(_ document: Document, about path: String = "") -> Document {
        var writer = DocumentWriter()
        for (name, value) in document {
            writer.append(name, resolve(value, about: name.hasPrefix("$") ? path : name))
        }
        return writer.finish()
    }

    private func resolve(_ value: Value, about path: String) -> Value {
        switch value {
        case .array(let elements): return .array(elements.map { resolve($0, about: path) })
        case .document(let document):
            guard document.keys == ["$ago"], let span = document["$ago"]?.string.flatMap({ TimeSpan($0) })
            else {
                return .document(resolve(document, about: path))
            }
            if path == "submitted_at" || path.hasSuffix(".submitted_at") {
                return .date(milliseconds: presence.moment(before: now, span: span, calendar: calendar))
            }
            let moment =
                calendar.map { $0.moment(before: now, working: $0.working(span)) }
                ?? now.subtractingReportingOverflow(span.milliseconds).partialValue
            return .date(milliseconds: moment)
        default: return value
        }
    }
}
