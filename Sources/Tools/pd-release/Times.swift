import PDDocument

/// Times on the command line.
enum PDToolTime {
    /// Milliseconds since 1970-01-01 UTC, where the text is a time in ISO 8601.
    static func milliseconds(_ text: String) -> Int64? { Timestamp.milliseconds(text.utf8) }
}

/// A time for people, from seconds since 1970-01-01 UTC: `2026-01-31 00:00:00Z`.
func readable(_ seconds: Int64) -> String {
    let text = Timestamp.text(milliseconds: seconds * 1000)
    return text.prefix(10) + " " + text.dropFirst(11).prefix(8) + "Z"
}
