import HTTPTypes
import NIOCore
import PDFleet
import PDProtocol
import Synchronization

/// One request as handlers see it: its body is there, whole and within its limit.
final class Call: Sendable {
    /// The request's head.
    let head: HTTPRequest
    /// The whole body.
    let body: [UInt8]
    /// What the path had in the places of the route's `{names}`.
    let parameters: [String: String]
    /// Who sent it, as far as trusted proxies can tell; nothing where the peer has no IP address.
    let client: IPAddress?
    /// The port that it came in on.
    let listener: Listener

    private struct Notes {
        var host: Hostname?
        var outcome: String?
        var admission: AccessControl.Admission?
        var isReplay = false
    }
    private let noted = Mutex(Notes())

    init(
        head: HTTPRequest, body: [UInt8], parameters: [String: String], client: IPAddress?, listener: Listener
    ) {
        self.head = head
        self.body = body
        self.parameters = parameters
        self.client = client
        self.listener = listener
    }

    /// The host that the request proved to speak for, for the log.
    var host: Hostname? { noted.withLock { $0.host } }
    /// What came of it, for the log.
    var outcome: String? { noted.withLock { $0.outcome } }

    /// Whether it may have been recorded and sent again by somebody else, so that it says nothing about its host.
    var isReplay: Bool { noted.withLock { $0.isReplay } }

    /// What let it pass where `server_auth` asks for more than a signature, for the log.
    var admission: AccessControl.Admission? { noted.withLock { $0.admission } }

    /// Says for which host the request speaks, once its signature has been verified.
    func note(host: Hostname) {
        noted.withLock { $0.host = host }
    }

    /// Says what let the request pass.
    func note(admission: AccessControl.Admission) {
        noted.withLock { $0.admission = admission }
    }

    /// Says that what it brings was known already.
    func noteReplay() {
        noted.withLock { $0.isReplay = true }
    }

    /// Says what came of it, in a word or two without content that a peer chose.
    func note(outcome: String) {
        noted.withLock { $0.outcome = outcome }
    }
}
