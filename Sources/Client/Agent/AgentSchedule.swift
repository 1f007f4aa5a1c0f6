/// When an agent that stays runs what. Pure: the time and chance are given.
public struct AgentSchedule: Sendable, Equatable {
    /// Minutes between two collections.
    public var collectInterval: Int
    /// Minutes between two attempts to deliver what waits.
    public var submitInterval: Int
    /// How often in a row the server was not reached.
    public var failures = 0

    /// The longest pause between two attempts to reach the server.
    public static let longestPause: Duration = .seconds(30 * 60)

    /// A schedule.
    public init(collectInterval: Int, submitInterval: Int) {
        self.collectInterval = collectInterval
        self.submitInterval = submitInterval
    }

    /// That of an agent that is set so.
    init(_ settings: AgentSettings) {
        self.init(collectInterval: settings.collectInterval, submitInterval: settings.submitInterval)
    }

    /// How long until the next collection: twice as long on battery, and a random share of up to a tenth less, so that a
    /// fleet that was switched on together does not stay together.
    ///
    /// - Parameter random: a number from 0 to 1.
    public func untilCollection(isOnBattery: Bool, random: Double) -> Duration {
        .seconds(collectInterval * 60) * (isOnBattery ? 2 : 1) * (1 - random / 10)
    }

    /// How long after a network has come back what waits is tried: names and addresses take a moment, and a floor of
    /// machines gets its network back at the same time.
    ///
    /// - Parameter random: a number from 0 to 1.
    public static func afterNetwork(random: Double) -> Duration { .seconds(2) + .seconds(8) * random }

    /// How long until what waits is tried again: it doubles with each failure, and a random share of up to half is taken off.
    ///
    /// - Parameter random: a number from 0 to 1.
    public func untilDelivery(isOnBattery: Bool, random: Double) -> Duration {
        let pause = Duration.seconds(submitInterval * 60) * (isOnBattery ? 2 : 1) * (1 << min(failures, 10))
        return min(pause, max(Self.longestPause, .seconds(submitInterval * 60))) * (1 - random / 2)
    }
}
