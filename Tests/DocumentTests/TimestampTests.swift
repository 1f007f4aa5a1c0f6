import Foundation
import Testing

@testable import PDDocument

@Suite("Timestamps")
struct TimestampTests {
    @Test(
        "ISO 8601 with and without zone and fraction is read",
        arguments: [
            ("1970-01-01T00:00:00Z", Int64(0)), ("1970-01-01T00:00:00.001", 1),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2024-02-29T12:30:45.5+05:30", 1_709_190_045_500),
            ("2024-02-29T12:30:45,5-0330", 1_709_222_445_500),
            ("2000-01-01 00:00Z", 946_684_800_000), ("9999-12-31T23:59:59Z", 253_402_300_799_000),
            ("2017-07-21T16:00:00.123456789012+00", 1_500_652_800_123),
        ])
    func read(text: String, milliseconds: Int64) {
        #expect(Timestamp.milliseconds(text.utf8) == milliseconds)
    }

    @Test(
        "what is no timestamp is not guessed at",
        arguments: [
            "", "2024", "2024-01-01", "2024-13-01T00:00:00", "2024-00-01T00:00:00", "2023-02-29T00:00:00",
            "2024-01-32T00:00:00", "2024-01-01T24:00:00", "2024-01-01T00:60:00", "2024-01-01T00:00:61",
            "2024-01-01T00:00:00.", "2024-01-01T00:00:00x", "2024-01-01T00:00:00+1",
            "2024-01-01T00:00:00+24:00",
            "2024-01-01T00:00:00Z ", "+2024-01-01T00:00:00", "２０２４-01-01T00:00:00",
            "2024-01-01T00:00:00.000000000000000000000000000000",
        ])
    func refuse(text: String) {
        #expect(Timestamp.milliseconds(text.utf8) == nil)
    }

    @Test("text and milliseconds agree with Foundation's calendar over four thousand years")
    func differential() throws {
        let formatter = ISO8601DateFormatter()
        formatter.formatOptions = [.withInternetDateTime, .withFractionalSeconds]
        var generator = SystemRandomNumberGenerator()
        // From 1600 on, where Foundation's calendar is Gregorian as ISO 8601 wants it.
        for _ in 0..<5000 {
            let milliseconds = Int64.random(in: -11_676_096_000_000...64_000_000_000_000, using: &generator)
            let text = Timestamp.text(milliseconds: milliseconds)
            #expect(Timestamp.milliseconds(text.utf8) == milliseconds)
            let date = try #require(formatter.date(from: text))
            #expect(Int64((date.timeIntervalSince1970 * 1000).rounded()) == milliseconds, "\(text)")
        }
    }
}
