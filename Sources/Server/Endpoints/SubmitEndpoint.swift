import HTTPTypes
import PDFleet
import PDProtocol
import PDStore

/// `submit`: a host reports.
struct SubmitEndpoint: Sendable {
    let signed: SignedRequests
    let ingest: Ingest
    let metrics: ServerMetrics
    let writes: WriteHealth
    let uses: KeyUses

    var routes: [Route] {
        [.v1("submit", maximumBodyBytes: V1.maximumBodyBytes, handler: submit)]
    }

    @Sendable private func submit(_ call: Call) async throws(Refusal) -> Response {
        let (submission, signer) = try signed.openWithSigner(call, as: V1.Submission.self)
        let receipt: SubmissionReceipt
        do {
            receipt = try await ingest.take(submission, at: signed.now())
        } catch {
            if case .unavailable = error { writes.note(isStored: false) }
            throw Refusal(error)
        }
        writes.note(isStored: true)
        metrics.count(receipt)
        call.note(outcome: "\(receipt.disposition)")
        if receipt.disposition == .repeated || receipt.disposition == .outdated {
            call.noteReplay()
            signed.allowance.giveBack(submission.hostname, call.client)
        } else {
            // One that was played back says nothing of the key that the host has now.
            await uses.note(submission.hostname, signer, at: signed.now())
        }
        return .text(.ok, "ok")
    }
}
