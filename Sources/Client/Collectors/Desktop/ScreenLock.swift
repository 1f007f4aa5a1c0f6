import PDDocument

/// How a session's screen is locked when nobody is there.
struct ScreenLock: Equatable {
    /// Nothing where it cannot be told.
    var enabled: Bool?
    /// Seconds without input until the screen is locked.
    var delay: Int?
    /// What locks.
    var locker: String?
    /// Whether it is locked before the machine sleeps; nothing where that is not known.
    var onSuspend: Bool?
    var reason: String?
    var evidence: [String] = []

    /// Not to be told, and why.
    static func unknown(_ reason: String) -> ScreenLock { ScreenLock(enabled: nil, reason: reason) }

    /// Nothing locks, and why.
    static func off(_ reason: String, evidence: [String] = []) -> ScreenLock {
        ScreenLock(enabled: false, reason: reason, evidence: evidence)
    }

    func append(to result: inout DocumentWriter) {
        result.append("enabled", .known(enabled))
        if let delay { result.append("delay", .int(delay)) }
        result.append("locker", ifPresent: locker)
        if let onSuspend { result.append("on_suspend", .bool(onSuspend)) }
        result.append("reason", ifPresent: reason)
        result.append("evidence", ifAny: evidence)
    }
}

/// A number of seconds from settings that anybody may have written: nothing that overflows.
func seconds(_ text: some StringProtocol, times factor: Int = 1) -> Int? {
    guard let number = Double(trimmed(text)), number >= 0, number < 1e9 else { return nil }
    return Int(number * Double(factor))
}
