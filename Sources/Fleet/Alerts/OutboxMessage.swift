import PDDocument
import PDStore

/// A message on its way. It stays until it was delivered, however long that takes; each channel's messages go in their
/// order, and a channel that is broken delays no other.
package struct OutboxMessage: Sendable, Equatable {
    /// How it stands.
    package enum State: String, Sendable {
        case waiting, sent
        /// The receiver said that it wants no more (410), or the channel is gone from the settings.
        case refused
    }

    /// Sorts by time; the same at each attempt, so that a receiver knows a message that it got before.
    package let id: String
    /// The channel's name, or `owner:` and an address.
    package let channel: String
    /// When it was made, in milliseconds since 1970-01-01 UTC.
    package let createdAt: Int64
    package var message: AlertMessage
    package var state = State.waiting
    /// How often delivery was tried.
    package var attempts = 0
    /// When it is tried next.
    package var nextAttemptAt: Int64
    /// Why the last attempt failed.
    package var lastError = ""
    /// When it was delivered.
    package var sentAt: Int64?

    package init(channel: String, message: AlertMessage, at now: Int64) {
        id = "\(RecordTime.name(now)) \(channel)"
        self.channel = channel
        createdAt = now
        self.message = message
        nextAttemptAt = now
    }

    /// One that says that it is a test.
    package static func test(channel: String, at now: Int64) -> OutboxMessage {
        let section = AlertMessage.Section(
            check: "test", title: "This is a test", why: "Somebody tries whether messages arrive.",
            fix: "Nothing is to be done.", severity: .info, kind: .failing,
            subjects: [.init(name: "no host", openedAt: now, evidence: "", flips: 0, isReminder: false)])
        return OutboxMessage(channel: channel, message: AlertMessage(sections: [section]), at: now)
    }

    package var record: StoredRecord {
        var writer = DocumentWriter()
        writer.append("channel", .string(channel))
        writer.append("created_at", .date(milliseconds: createdAt))
        writer.append("message", .document(message.document))
        writer.append("state", .string(state.rawValue))
        writer.append("attempts", .int(attempts))
        writer.append("next_attempt_at", .date(milliseconds: nextAttemptAt))
        writer.append("last_error", .string(lastError))
        if let sentAt { writer.append("sent_at", .date(milliseconds: sentAt)) }
        return StoredRecord(id: id, document: writer.finish())
    }

    /// - Throws: ``StoreError/corrupt(reason:)``.
    package init(_ record: StoredRecord) throws(StoreError) {
        let document = record.document
        guard let channel = document["channel"]?.string, let createdAt = document["created_at"]?.milliseconds,
            let message = document["message"]?.document.flatMap(AlertMessage.init),
            let state = document["state"]?.string.flatMap(State.init(rawValue:)),
            let next = document["next_attempt_at"]?.milliseconds
        else { throw .corrupt(reason: "the message \(record.id) cannot be read") }
        id = record.id
        self.channel = channel
        self.createdAt = createdAt
        self.message = message
        self.state = state
        attempts = document["attempts"]?.integer ?? 0
        nextAttemptAt = next
        lastError = document["last_error"]?.string ?? ""
        sentAt = document["sent_at"]?.milliseconds
    }

    /// How long to wait after so many attempts, in milliseconds: as Standard Webhooks advises, then once a day.
    package static func backOff(after attempts: Int) -> Int64 {
        let seconds: [Int64] = [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400]
        return seconds[min(max(attempts, 1), seconds.count) - 1] * 1000
    }
}
