import PDBasics
import PDDocument
import PDProtocol
import PDStore

/// How one order stands on one host.
package struct OrderStanding: Sendable, Equatable {
    /// The states of an order, in the order in which they come.
    package enum State: String, Sendable, CaseIterable {
        /// The host has not said anything yet.
        case offered
        /// It was found good there.
        case received
        /// Its program runs, or will be tried again.
        case running
        /// It was carried out.
        case done
        /// Its program did not work.
        case failed
        /// The host does not obey it.
        case refused
        /// Nobody obeys it any more, and the host did not say that it had.
        case expired
    }

    package let order: Order
    package let statement: OrderStatement?
    package let host: Hostname
    package let state: State
    package let receipt: OrderReceipt?

    private init(
        _ order: Order, _ statement: OrderStatement?, _ host: Hostname, isWaiting: Bool, at now: Moment
    ) {
        self.order = order
        self.statement = statement
        self.host = host
        receipt = order.receipts[host]
        let told: State =
            switch receipt?.state {
            case nil: isWaiting ? .offered : .done
            case .received: .received
            case .running: .running
            case .done: .done
            case .failed: .failed
            case .refused: .refused
            }
        let isOver = isWaiting && statement.map { $0.expires <= now.seconds } ?? false
        state = isOver ? .expired : told
    }

    /// An order on all its hosts, by their names.
    package static func all(of order: Order, at now: Moment) -> [OrderStanding] {
        let statement = order.statement
        return (order.pendingHosts.map { ($0, true) } + order.completedHosts.map { ($0, false) })
            .sorted { $0.0.name < $1.0.name }
            .map { OrderStanding(order, statement, $0.0, isWaiting: $0.1, at: now) }
    }

    /// A command's name, or the paths of files.
    package var what: String {
        if case .command(let command)? = statement?.kind { return command.name }
        return order.ownFiles.map(\.path).joined(separator: " ")
    }

    /// The members that scripts rely on.
    package var document: Document {
        [
            "id": .string(order.id), "kind": .string(order.kind), "what": .string(what),
            "host": .string(host.name), "state": .string(state.rawValue),
            "submitted_at": .date(milliseconds: order.submittedAt),
            "expires_at": statement.map { .date(milliseconds: Moment(seconds: $0.expires).milliseconds) }
                ?? .null,
            "attempts": .int(receipt?.attempts ?? 0),
            "returncode": receipt?.returncode.map(Value.int) ?? .null,
            "reason": receipt?.reason.map(Value.string) ?? .null,
            "heard_at": receipt.map { .date(milliseconds: $0.at) } ?? .null,
        ]
    }
}
