import PDDocument

extension Value {
    /// The value with every `{"$date": text}` turned into that date, as recorded vectors write dates.
    package var withDates: Value {
        switch self {
        case .document(let document):
            if document.keys == ["$date"], let text = document["$date"]?.string,
                let milliseconds = Timestamp.milliseconds(text.utf8)
            {
                .date(milliseconds: milliseconds)
            } else {
                .document(Document(document.map { ($0.key, $0.value.withDates) }))
            }
        case .array(let values): .array(values.map(\.withDates))
        default: self
        }
    }
}
