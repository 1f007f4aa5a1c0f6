import Glibc

/// A point in time by a clock that people set: milliseconds since 1970-01-01 UTC, without leap seconds.
///
/// How long something took is not the difference of two of them, since such clocks are put right now and then: that is
/// what `ContinuousClock` is for.
public struct Moment: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01 UTC, negative before.
    public var milliseconds: Int64

    /// A moment, in milliseconds since 1970-01-01 UTC.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// A moment, in seconds since 1970-01-01 UTC; the first or last that there is, where it lies beyond.
    public init(seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        milliseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Whole seconds since 1970-01-01 UTC, rounded down.
    public var seconds: Int64 {
        milliseconds / 1000 - (milliseconds % 1000 < 0 ? 1 : 0)
    }

    /// What the system's clock says.
    public static func now() -> Moment {
        var time = timespec()
        // Fails for no clock that Linux has.
        clock_gettime(CLOCK_REALTIME, &time)
        return Moment(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// Which of two comes first.
    public static func < (first: Moment, second: Moment) -> Bool { first.milliseconds < second.milliseconds }

    /// So much later; the last moment that there is, where it lies beyond.
    public static func + (moment: Moment, span: TimeSpan) -> Moment {
        let (sum, overflow) = moment.milliseconds.addingReportingOverflow(span.milliseconds)
        return Moment(milliseconds: overflow ? .max : sum)
    }

    /// So much earlier; the first moment that there is, where it lies beyond.
    public static func - (moment: Moment, span: TimeSpan) -> Moment {
        let (difference, overflow) = moment.milliseconds.subtractingReportingOverflow(span.milliseconds)
        return Moment(milliseconds: overflow ? .min : difference)
    }

    /// How long it is from another moment to this one; nothing where that one is later.
    public func since(_ earlier: Moment) -> TimeSpan? {
        guard earlier <= self else { return nil }
        let (difference, overflow) = milliseconds.subtractingReportingOverflow(earlier.milliseconds)
        return TimeSpan(milliseconds: overflow ? .max : difference)
    }
}

/// What says what time it is. It comes in as a parameter wherever something depends on the time, so that tests need not
/// wait.
public typealias WallClock = @Sendable () -> Moment

/// What says how much time has passed, for time-outs and caches.
public typealias SteadyClock = @Sendable () -> ContinuousClock.Instant
