/// How an attempt to deliver a message ended.
package enum DeliveryOutcome: Sendable, Equatable {
    /// The receiver has it.
    case delivered
    /// The receiver has it not, as far as is known; it is tried again.
    case failed(String)
    /// The receiver wants no more of them.
    case unwanted(String)
}

/// What carries messages to people.
package protocol AlertDelivery: Sendable {
    /// Delivers one message by one channel.
    ///
    /// - Parameter now: the clock, in milliseconds since 1970-01-01 UTC.
    func deliver(_ message: OutboxMessage, by channel: AlertChannel, at now: Int64) async -> DeliveryOutcome
}
