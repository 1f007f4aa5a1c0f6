import HTTPTypes
import HummingbirdCore
import NIOCore
import PDFleet
import PDProtocol
import PDStore

/// What agents of this software ask: which release and which orders wait, and the release's archive. The server vouches
/// for nothing of it: agents verify what others signed.
struct AgentUpdateEndpoint: Sendable {
    let signed: SignedRequests
    let patches: any OrderStore
    let releases: ReleaseShelf

    var routes: [Route] {
        [
            Route(
                "v2/update", .post, [V2.updatePath], maximumBodyBytes: V1.maximumRequestBytes, handler: update
            ),
            Route(
                "v2/release", .post, [V2.releasePath], maximumBodyBytes: V1.maximumRequestBytes,
                isQuiet: true,
                handler: release),
        ]
    }

    @Sendable private func update(_ call: Call) async throws(Refusal) -> Response {
        let request = try signed.open(call, as: V2.UpdateRequest.self)
        let pending: [Order]
        do {
            pending = try await patches.orders(pendingFor: request.hostname)
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
        let statement: SignedStatement?
        do {
            statement = try releases.newestStatement(after: request.release)
        } catch { throw .unavailable("\(error)") }
        call.note(outcome: "\(statement == nil ? "current" : "out of date"), \(orders.count) orders")
        return .json(V2.UpdateAnswer(release: statement, orders: orders).json())
    }

    @Sendable private func release(_ call: Call) async throws(Refusal) -> Response {
        let request = try signed.open(call, as: V2.ReleaseRequest.self)
        let piece: [UInt8]?
        do {
            piece = try releases.piece(of: request.number, at: request.offset)
        } catch { throw .unavailable("\(error)") }
        guard let piece else { throw .notFound("there is no release \(request.number)") }
        call.note(outcome: "\(piece.count) bytes from \(request.offset)")
        return Response(
            status: .ok, headers: [.contentType: "application/octet-stream"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: piece)))
    }
}

extension V2.UpdateRequest: SignedValue {
    var host: Hostname? { hostname }
}

extension V2.ReleaseRequest: SignedValue {
    var host: Hostname? { hostname }
}
