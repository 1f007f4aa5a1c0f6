import HTTPTypes
import Logging
import PDProtocol
import PDStore

/// The pipes: a person gets a shell on a host through the server. See ``PipeRelay``.
struct PipeEndpoints: Sendable {
    let signed: SignedRequests
    let access: AccessControl
    let store: any HostStore
    let relay: PipeRelay
    let logger: Logger

    var routes: [Route] {
        var routes: [Route] = [
            .v1("server_pipe/server/create", handler: create), .v1("server_pipe/client/open", handler: open),
        ]
        for peer in V1.PipePeer.allCases {
            let prefix = "server_pipe/\(peer.rawValue)"
            routes += [
                // Twice as much as a message, for the form's percent signs.
                .v1(
                    "\(prefix)/send", maximumBodyBytes: 2 * V1.maximumPipeMessageBytes, isQuiet: true
                ) { call async throws(Refusal) in
                    let request = try SignedRequests.openUnsigned(call, as: V1.PipeMessage.self)
                    return .json(try await relay.send(request.message, on: request.pipe, from: peer).json())
                },
                .v1("\(prefix)/receive", isQuiet: true) { call async throws(Refusal) in
                    let request = try SignedRequests.openUnsigned(call, as: V1.PipeReference.self)
                    return .json(try await relay.receive(on: request.pipe, at: peer).json())
                },
                .v1("\(prefix)/close") { call async throws(Refusal) in
                    let request = try signed.open(call, as: V1.PipeReference.self)
                    return .json(try await relay.close(request.pipe, from: peer).json())
                },
            ]
        }
        return routes
    }

    /// The password is asked for before the signature is looked at.
    @Sendable private func create(_ call: Call) async throws(Refusal) -> Response {
        let admission = try await access.check(call)
        let request = try signed.open(call, as: V1.PipeCreation.self)
        do {
            guard try await store.host(request.clientHostname.name) != nil else {
                throw Refusal.notFound("there is no host of that name")
            }
        } catch let error as StoreError {
            throw Refusal(error)
        } catch let refusal as Refusal {
            throw refusal
        } catch {
            throw .unavailable("\(error)")
        }
        let pipe = try await relay.create(for: request.clientHostname, key: request.key)
        // The identifier lets one speak on the pipe, so it stays out of the log. Any holder of a client key can call
        // itself as it likes: what let it pass is what was proved.
        logger.notice(
            "pipe created",
            metadata: [
                "host": "\(request.clientHostname)", "admitted": "\(admission)",
                "requester": "\(request.hostname)",
                "peer": "\(call.client.map { "\($0)" } ?? "-")",
            ])
        return .json(V1.PipeAnswer.created(pipe: pipe).json())
    }

    @Sendable private func open(_ call: Call) async throws(Refusal) -> Response {
        let request = try signed.open(call, as: V1.PipeOpening.self)
        try await relay.open(request.pipe, by: request.hostname, key: request.key)
        logger.notice(
            "pipe opened",
            metadata: [
                "host": "\(request.hostname)", "peer": "\(call.client.map { "\($0)" } ?? "-")",
            ])
        return .json(V1.PipeAnswer.ok.json())
    }
}
