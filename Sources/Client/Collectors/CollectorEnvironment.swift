import PDDocument

/// What all collectors of one run have in common.
public struct CollectorEnvironment: Sendable {
    /// What there is to look at.
    public var machine: Machine
    /// The directory below which each collector has one of its own; nothing where nothing is kept.
    public var directory: String?
    /// Whether this run may change what collectors keep.
    public var isWritable: Bool
    /// Settings by the collector's name.
    public var settings: Document
    /// The time, in milliseconds since 1970-01-01 UTC.
    public var now: @Sendable () -> Int64

    /// An environment from its parts.
    public init(
        machine: Machine, directory: String? = nil, isWritable: Bool = true, settings: Document = [:],
        now: @escaping @Sendable () -> Int64 = { Agent.currentTime() }
    ) {
        self.machine = machine
        self.directory = directory
        self.isWritable = isWritable
        self.settings = settings
        self.now = now
    }

    /// What that collector has to work with, until that time.
    func context(for collector: any Collector, deadline: SuspendingClock.Instant) -> CollectorContext {
        var machine = machine
        machine.deadline = deadline
        machine.allowedCommands = collector.commands
        return CollectorContext(
            machine: machine,
            memory: CollectorMemory(
                directory: directory.map { "\($0)/\(collector.name)" }, isWritable: isWritable),
            settings: settings[collector.name]?.document ?? [:], now: now())
    }
}
