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

    var routes: [Route] {
        [.v1("submit", maximumBodyBytes: V1.maximumBodyBytes, handler: submit)]
    }

    @Sendable private func submit(_ call: Call) async throws(Refusal) -> Response {
        let submission = try signed.open(call, as: V1.Submission.self)
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
        }
        return .text(.ok, "ok")
    }
}
