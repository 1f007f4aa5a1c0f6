import HTTPTypes
import HummingbirdCore
import NIOCore
import PDFleet
import PDProtocol

/// What agents of this software ask: which release is newer than theirs, and its archive. The server vouches
/// for nothing of it: agents verify what others signed.
struct AgentUpdateEndpoint: Sendable {
    let signed: SignedRequests
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
        let statement: SignedStatement?
        do {
            statement = try releases.newestStatement(after: request.release)
        } catch { throw .unavailable("\(error)") }
        call.note(outcome: statement == nil ? "current" : "out of date")
        return .json(V2.UpdateAnswer(release: statement).json())
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
