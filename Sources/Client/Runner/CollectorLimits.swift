/// What a collector may take, with all that it starts. One that takes more is ended.
public struct CollectorLimits: Sendable {
    /// How long it may take.
    public var time: Duration = .seconds(60)
    /// How much longer one that does not heed its deadline is waited for. Commands are ended at the deadline, so only a
    /// system call that does not return, and a loop, get this far.
    public var grace: Duration = .seconds(2)
    /// The most memory, in bytes.
    public var memory = 256 << 20
    /// The most processes at a time.
    public var processes = 64
    /// The most that it, or a command of it, may write, in bytes.
    public var output = 8 << 20
    /// How many may be at work at a time.
    public var workers = 4
    /// How long one may hold up the others before a further worker is started for them.
    public var patience: Duration = .seconds(2)

    /// The standard limits.
    public init() {}
}
