import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import PDFleet
import PDProtocol
import PDStore

/// `v2/keys`: a machine registers the keys that it made for itself, and hears what the server has to say of its own.
struct KeysEndpoint: Sendable {
    let signed: SignedRequests
    let desk: KeyDesk
    let uses: KeyUses
    let logger: Logger

    var routes: [Route] {
        [
            Route(
                "v2/keys", .post, [V2.keysPath], maximumBodyBytes: V1.maximumRequestBytes, handler: answer)
        ]
    }

    @Sendable private func answer(_ call: Call) async throws(Refusal) -> Response {
        // A machine that was away while the fleet got a new key is known by its own.
        let (request, signer) = try signed.openVouchedFor(call, as: V2.KeysRequest.self)
        let host = request.statement.hostname
        let answer: V2.KeysAnswer
        do {
            answer = try await desk.answer(
                request, signedBy: signer, from: call.client.map { "\($0)" }, at: signed.now())
        } catch KeyDesk.Refusal.unknown {
            throw .forbidden(reason: "neither a client key that is trusted nor the machine's own signed it")
        } catch KeyDesk.Refusal.lost {
            throw .forbidden(reason: "\(host) was lost: it is sent no key")
        } catch let error as StoreError {
            throw Refusal(error)
        } catch { throw .unavailable("\(error)") }
        call.note(host: host)
        try signed.allowance.take(host, call.client)
        if let signer, answer.standing == .registered { await uses.note(host, signer, at: signed.now()) }
        call.note(
            outcome: "\(answer.standing.rawValue)\(answer.clientKey == nil ? "" : ", client key sent")")
        return .json(answer.json())
    }
}

extension V2.KeysRequest: SignedValue {
    var host: Hostname? { statement.hostname }
}
