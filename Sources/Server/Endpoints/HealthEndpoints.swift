import Foundation
import HTTPTypes
import HummingbirdCore
import Logging
import NIOCore
import PDFleet
import PDStore

/// What those ask who watch over the server: whether it is alive, whether it can work, and what it counts.
struct HealthEndpoints: Sendable {
    let readiness: Readiness
    let metrics: ServerMetrics
    let store: any FleetStore
    /// Who may read the metrics, besides this machine itself.
    let metricsRanges: [AddressRange]
    let logger: Logger

    var routes: [Route] {
        [
            Route("healthz", .get, ["/healthz"], isQuiet: true) { _ in .text(.ok, "ok") },
            Route("readyz", .get, ["/readyz"], isQuiet: true) { _ async throws(Refusal) in
                try await readiness.check()
                return .text(.ok, "ok")
            },
            Route("metrics", .get, ["/metrics"], isQuiet: true, handler: exposition),
        ]
    }

    @Sendable private func exposition(_ call: Call) async throws(Refusal) -> Response {
        // Behind a proxy on this very machine every peer is this machine: what was forwarded does not count as local.
        let isForwarded = ["X-Forwarded-For", "Forwarded", "Via"].contains { name in
            HTTPField.Name(name).map { call.head.headerFields[$0] != nil } ?? false
        }
        guard let client = call.client,
            client.isLoopback && !isForwarded || metricsRanges.contains(where: { $0.contains(client) })
        else { throw .forbidden(reason: "metrics are for this machine, and for metrics:allow") }
        let gauges: FleetGauges?
        do {
            gauges = try await FleetGauges(store)
        } catch {
            // What the server counts about itself is wanted most while the database is away.
            logger.error("the fleet cannot be measured: \(error)")
            gauges = nil
        }
        return Response(
            status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: metrics.exposition(gauges))))
    }
}
