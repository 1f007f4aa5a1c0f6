import PDProtocol

/// What the fleet's server hands out: the newest release, and the orders that wait for this host.
public struct FleetSource: ReleaseSource {
    private let transport: any RequestTransport
    private let hostname: Hostname
    private let signer: any ReportSigner
    private let now: @Sendable () -> Int64

    /// - Parameters:
    ///   - transport: the way to the server.
    ///   - hostname: who asks.
    ///   - signer: signs the requests.
    ///   - now: the time in milliseconds since 1970-01-01 UTC.
    init(
        transport: any RequestTransport, hostname: Hostname, signer: any ReportSigner,
        now: @escaping @Sendable () -> Int64
    ) {
        self.transport = transport
        self.hostname = hostname
        self.signer = signer
        self.now = now
    }

    /// Asks for a newer release.
    public func newest(after current: Int) async throws(ReleaseError) -> SignedStatement? {
        let request = V2.UpdateRequest(hostname: hostname, release: current)
        let body = try await ask(V2.updatePath, request.json(), limit: V2.maximumAnswerBytes)
        do throws(ProtocolError) {
            return try V2.UpdateAnswer(json: body).release
        } catch { throw .notReached("its answer cannot be read: \(error)") }
    }

    /// Some bytes of a release's archive.
    public func piece(of number: Int, at offset: Int) async throws(ReleaseError) -> [UInt8] {
        let request = V2.ReleaseRequest(hostname: hostname, number: number, offset: offset)
        return try await ask(V2.releasePath, request.json(), limit: V2.pieceBytes)
    }

    /// Asks which orders wait, the oldest first.
    func orders() async throws(ReleaseError) -> [V2.OfferedOrder] {
        let request = V2.OrdersRequest(hostname: hostname)
        let body = try await ask(V2.ordersPath, request.json(), limit: V2.maximumOrdersBytes)
        do throws(ProtocolError) {
            return try V2.OrdersAnswer(json: body).orders
        } catch { throw .notReached("its answer cannot be read: \(error)") }
    }

    /// Tells the server what became of an order.
    func send(_ receipt: V2.Receipt) async throws(ReleaseError) {
        _ = try await ask(V2.receiptPath, receipt.json(), limit: 1 << 16)
    }

    private func ask(_ path: String, _ data: [UInt8], limit: Int) async throws(ReleaseError) -> [UInt8] {
        let signature: String
        do {
            signature = try signer.sign(data, at: now() / 1000)
        } catch { throw .refused("the request cannot be signed: \(error)") }
        let body = V1.Envelope(data: data, signature: Array(signature.utf8)).formBody()
        let answer: TransportAnswer
        do throws(TransportError) {
            answer = try await transport.request(path, body, limit: limit)
        } catch { throw .notReached(error.description) }
        switch answer.status {
        case 200...299: return answer.body
        case 401, 403: throw .refused("it answered with status \(answer.status)")
        default: throw .notReached("it answered with status \(answer.status)")
        }
    }
}
