import PDBasics
import Testing

@Suite("Points in time")
struct MomentTests {
    @Test(
        "have whole seconds, rounded down",
        arguments: [
            (0, 0), (999, 0), (1000, 1), (-1, -1), (-1000, -1), (-1001, -2), (.min, -9_223_372_036_854_776),
        ]
            as [(Int64, Int64)])
    func seconds(milliseconds: Int64, seconds: Int64) {
        #expect(Moment(milliseconds: milliseconds).seconds == seconds)
    }

    @Test("stop at the first and the last that there are, instead of ending the program")
    func saturate() {
        let span = TimeSpan(milliseconds: .max)
        #expect(Moment(milliseconds: 1) + span == Moment(milliseconds: .max))
        #expect(Moment(milliseconds: -2) - span == Moment(milliseconds: .min))
        #expect(Moment(seconds: .max) == Moment(milliseconds: .max))
        #expect(Moment(seconds: .min) == Moment(milliseconds: .min))
        #expect(Moment(milliseconds: .max).since(Moment(milliseconds: .min)) == span)
    }

    @Test("are apart by a span that is never negative")
    func apart() {
        let (early, late) = (Moment(seconds: 10), Moment(seconds: 12))
        #expect(late.since(early) == TimeSpan(milliseconds: 2000))
        #expect(early.since(late) == nil)
        #expect(early < late)
    }

    @Test("come from the system's clock in milliseconds")
    func now() {
        // 2020 to 2100: neither seconds nor microseconds.
        #expect((1_577_836_800_000..<4_102_444_800_000).contains(Moment.now().milliseconds))
    }
}
