import PDFleet
import Synchronization

/// A delivery that notes what it got; it may be out of order.
final class RecordedDelivery: AlertDelivery {
    let got = Mutex<[(channel: String, at: Int64, message: OutboxMessage)]>([])
    let broken = Mutex<Set<String>>([])

    func deliver(_ message: OutboxMessage, by channel: AlertChannel, at now: Int64) async
        -> DeliveryOutcome
    {
        if broken.withLock({ $0.contains(channel.name) }) { return .failed("out of order") }
        got.withLock { $0.append((channel.name, now, message)) }
        return .delivered
    }

    func texts(_ channel: String) -> [String] {
        got.withLock { $0 }.filter { $0.channel == channel }.map { Self.text($0.message) }
    }

    /// A message in a few words.
    static func text(_ message: OutboxMessage) -> String {
        let sections = message.message.sections.map { section in
            "\(section.check): "
                + section.subjects.map { subject in
                    subject.name + (subject.flips > 0 ? " x\(subject.flips)" : "")
                        + (subject.isReminder ? " again" : "")
                        + (subject.resolvedAt != nil ? " over" : "")
                }.joined(separator: ", ")
        }
        let over = message.message.resolved.map { "\($0.check) over: \($0.name)" }
        return (sections + over).joined(separator: "; ")
    }
}
