import HTTPTypes
import HummingbirdCore
import Logging
import PDProtocol
import PDStore

/// What agents of this software ask about orders: which wait for them; and what they say became of them.
struct OrdersEndpoint: Sendable {
    let signed: SignedRequests
    let store: any OrderStore
    let logger: Logger

    var routes: [Route] {
        [
            Route(
                "v2/orders", .post, [V2.ordersPath], maximumBodyBytes: V1.maximumRequestBytes, handler: orders
            ),
            Route(
                "v2/order_receipt", .post, [V2.receiptPath], maximumBodyBytes: V1.maximumRequestBytes,
                handler: receipt),
        ]
    }

    @Sendable private func orders(_ call: Call) async throws(Refusal) -> Response {
        let request = try signed.open(call, as: V2.OrdersRequest.self)
        let pending: [Order]
        do {
            pending = try await store.orders(pendingFor: request.hostname)
        } catch { throw Refusal(error) }
        // One without an order is for agents of version 1 alone.
        let orders = pending.compactMap { patch in
            patch.signed.map { order in
                V2.OfferedOrder(
                    id: patch.id,
                    statement: SignedStatement(bytes: order.statement, signature: order.signature),
                    contents: Dictionary(
                        patch.files.lazy.filter { !$0.path.hasPrefix("signatures/") }.map {
                            ($0.path, $0.content)
                        },
                        uniquingKeysWith: { first, _ in first }))
            }
        }
        call.note(outcome: "\(orders.count) orders")
        return .json(V2.OrdersAnswer(orders: orders).json())
    }

    @Sendable private func receipt(_ call: Call) async throws(Refusal) -> Response {
        let receipt = try signed.open(call, as: V2.Receipt.self)
        let isNews: Bool
        do {
            isNews = try await store.note(
                OrderReceipt(receipt, at: signed.now()), of: receipt.id, from: receipt.hostname)
        } catch { throw Refusal(error) }
        // All hosts of a version 1 fleet share a key, so one may speak for another: whoever says so is kept in the log.
        logger.notice(
            isNews ? "order \(receipt.state.rawValue)" : "receipt for an order that does not wait",
            metadata: [
                "order": "\(receipt.id)", "host": "\(receipt.hostname)",
                "peer": "\(call.client.map { "\($0)" } ?? "-")",
            ])
        call.note(outcome: isNews ? receipt.state.rawValue : "was not waiting")
        return .text(.ok, "ok")
    }
}

extension OrderReceipt {
    /// What an agent said, heard at that time, in milliseconds since 1970-01-01 UTC.
    init(_ receipt: V2.Receipt, at time: Int64) {
        let state: State =
            switch receipt.state {
            case .received: .received
            case .running: .running
            case .done: .done
            case .failed: .failed
            case .refused: .refused
            }
        self.init(
            state: state, attempts: receipt.attempts, returncode: receipt.returncode, reason: receipt.reason,
            at: time)
    }
}

extension V2.OrdersRequest: SignedValue {
    var host: Hostname? { hostname }
}

extension V2.Receipt: SignedValue {
    var host: Hostname? { hostname }
}
