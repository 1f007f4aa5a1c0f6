import PDBasics
import Testing

@Suite("Spans of time, as people write them")
struct TimeSpanTests {
    @Test(
        "are read with letters or with words, and written with letters",
        arguments: [
            ("0", 0), ("90s", 90_000), ("30m", 1_800_000), ("4h", 14_400_000), ("2d", 172_800_000),
            ("1w", 604_800_000), ("1d12h", 129_600_000), ("0d", 0), ("1w1d1h1m1s", 694_861_000),
            ("3 days", 259_200_000), ("1 day 12 hours", 129_600_000), ("1 d", 86_400_000), ("5min", 300_000),
        ] as [(String, Int64)])
    func read(text: String, milliseconds: Int64) throws {
        let span = try #require(TimeSpan(text))
        #expect(span.milliseconds == milliseconds)
        #expect(TimeSpan(span.description) == span)
    }

    @Test(
        "are refused where they could mean something else",
        arguments: [
            "", "1", "d", "1x", "-1d", "1.5h", "1h1d", "1d1d", " 1d", "1d ", "1 days ago", "1D",
            "99999999999999999999d", "9999999999999w",
        ])
    func refused(text: String) {
        #expect(TimeSpan(text) == nil)
    }
}
