import PDDocument

/// All that one collector has to work with.
///
/// - The machine: files, the allow-listed commands, the deadline. Commands are looked for in ``Machine/searchPath`` alone
///   and run in the C locale.
/// - Its own memory of what it saw before, with times (``CollectorMemory``).
/// - Its own settings.
/// - The time, which is a parameter so that tests can choose it.
///
/// Sessions of users come from the machine: ``UserSession/all(on:)``, and commands in one of them by
/// ``Machine/run(_:in:)``.
public struct CollectorContext: Sendable {
    /// What there is to look at. Runs the collector's own commands only.
    public var machine: Machine
    /// What the collector keeps from one run to the next.
    public var memory: CollectorMemory
    /// What `collector_settings:NAME` in the settings of the machine or of the release says; empty where nothing.
    public var settings: Document
    /// The time of this run, in milliseconds since 1970-01-01 UTC.
    public var now: Int64

    /// A context from its parts.
    public init(
        machine: Machine, memory: CollectorMemory = .none, settings: Document = [:],
        now: Int64 = Agent.currentTime()
    ) {
        self.machine = machine
        self.memory = memory
        self.settings = settings
        self.now = now
    }
}
