import PDDocument

extension DocumentWriter {
    /// Adds the field where there is a value.
    mutating func append(_ key: String, ifPresent text: String?) {
        if let text { append(key, .string(text)) }
    }

    /// Adds `status` with its `reason`.
    mutating func append(_ verdict: Verdict) {
        append("status", .string(verdict.word))
        append("reason", ifPresent: verdict.reason)
    }

    /// Adds a list of texts.
    mutating func append(_ key: String, _ texts: [String]) {
        append(key, .array(texts.map(Value.string)))
    }

    /// Adds the list where it is not empty.
    mutating func append(_ key: String, ifAny texts: [String]) {
        if !texts.isEmpty { append(key, texts) }
    }
}

extension Value {
    /// True or false, or the text `unknown` where nothing tells.
    static func known(_ flag: Bool?) -> Value { flag.map(Value.bool) ?? "unknown" }
}

/// One line without white space at its ends.
func trimmed(_ text: some StringProtocol) -> String {
    var rest = Substring(text)
    while let first = rest.first, first.isWhitespace { rest.removeFirst() }
    while let last = rest.last, last.isWhitespace { rest.removeLast() }
    return String(rest)
}
