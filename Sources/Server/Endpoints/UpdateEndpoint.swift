import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import PDProtocol
import PDStore

/// `update` and `acknowledge_patch`: a host asks what waits for it, and says what it has.
struct UpdateEndpoint: Sendable {
    let signed: SignedRequests
    let patches: any OrderStore
    let releases: ReleaseMessages
    let logger: Logger

    var routes: [Route] {
        [.v1("update", handler: update), .v1("acknowledge_patch", handler: acknowledge)]
    }

    @Sendable private func update(_ call: Call) async throws(Refusal) -> Response {
        let request = try signed.open(call, as: V1.UpdateRequest.self)
        let pending: [Order]
        do {
            pending = try await patches.orders(pendingFor: request.hostname)
        } catch {
            throw Refusal(error)
        }
        let offered = pending.map { patch in
            V1.PendingPatch(
                id: patch.id,
                files: patch.files.map { V1.PatchFile(path: $0.path, mode: $0.mode, content: $0.content) })
        }
        let release: ReleaseMessages.Message?
        do {
            release = try releases.newest(after: request.oldRelease)
        } catch {
            throw .unavailable("\(error)")
        }
        let (before, after) = V1.UpdateAnswer(currentRelease: release?.number, patches: offered).json()
        call.note(outcome: "\(release == nil ? "current" : "out of date"), \(pending.count) patches")
        guard let release else { return .json(before + after) }
        // The message is shared by all answers that carry it.
        return Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(contentsOf: [
                ByteBuffer(bytes: before), release.quoted, ByteBuffer(bytes: after),
            ]))
    }

    @Sendable private func acknowledge(_ call: Call) async throws(Refusal) -> Response {
        let acknowledgement = try signed.open(call, as: V1.PatchAcknowledgement.self)
        let moved: Bool
        do {
            moved = try await patches.acknowledgeOrder(acknowledgement.id, by: acknowledgement.hostname)
        } catch {
            throw Refusal(error)
        }
        // All hosts of a version 1 fleet share a key, so one may speak for another: whoever asks is kept in the log.
        logger.notice(
            moved ? "patch acknowledged" : "acknowledgement of a patch that was not pending",
            metadata: [
                "patch": "\(acknowledgement.id)", "host": "\(acknowledgement.hostname)",
                "peer": "\(call.client.map { "\($0)" } ?? "-")",
            ])
        call.note(outcome: moved ? "acknowledged" : "was not pending")
        return .text(.ok, "ok")
    }
}
