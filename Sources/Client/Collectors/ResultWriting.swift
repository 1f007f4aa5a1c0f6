import PDDocument

extension DocumentWriter {
    /// Adds the field where there is a value.
    mutating func append(_ key: String, ifPresent text: String?) {
        if let text { append(key, .string(text)) }
    }
}

/// One line without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}
