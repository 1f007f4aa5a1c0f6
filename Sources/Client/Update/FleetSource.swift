import PDProtocol
import Synchronization

/// What the fleet's server hands out: the newest release, and the orders that wait for this host.
public final class FleetSource: ReleaseSource {
    private let transport: any RequestTransport
    private let hostname: Hostname
    private let signer: any ReportSigner
    private let now: @Sendable () -> Int64
    private let waiting = Mutex<[V2.OfferedOrder]>([])

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

    /// The orders that came with the last answer.
    var orders: [V2.OfferedOrder] { waiting.withLock { $0 } }

    /// Asks what waits, and keeps the orders.
    public func newest(after current: Int) async throws(ReleaseError) -> SignedStatement? {
        let request = V2.UpdateRequest(hostname: hostname, release: current)
        let body = try await ask(V2.updatePath, request.json(), limit: V2.maximumAnswerBytes)
        do throws(ProtocolError) {
            let answer = try V2.UpdateAnswer(json: body)
            waiting.withLock { $0 = answer.orders }
            return answer.release
        } catch { throw .notReached("its answer cannot be read: \(error)") }
    }

    /// Some bytes of a release's archive.
    public func piece(of number: Int, at offset: Int) async throws(ReleaseError) -> [UInt8] {
        let request = V2.ReleaseRequest(hostname: hostname, number: number, offset: offset)
        return try await ask(V2.releasePath, request.json(), limit: V2.pieceBytes)
    }

    /// Tells the server that an order was carried out.
    func acknowledge(_ id: String) async throws(ReleaseError) {
        _ = try await ask(
            "/penguindome/v1/acknowledge_patch",
            Array("{\"hostname\":\"\(hostname)\",\"id\":\"\(id)\"}".utf8), limit: 1 << 16)
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
