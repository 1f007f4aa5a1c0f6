import HTTPTypes
import NIOCore
import PDProtocol
import PDStore

/// Why a request is not answered with what it asked for: the one place where reasons become HTTP statuses.
///
/// A version 1 agent keeps what it could not deliver on every one of these but 400, for which it sets a report aside.
enum Refusal: Error, Equatable, Sendable {
    /// 400: the form or the JSON is not what the protocol says.
    case malformed(String)
    /// 400: the body did not arrive whole.
    case incomplete
    /// 408: the body came too slowly (RFC 9110, section 15.5.9).
    case slow
    /// 401: the endpoint wants a user and a password.
    case unauthorized(reason: String)
    /// 403: there is no signature, or it does not count; or the peer may not do this.
    case forbidden(reason: String)
    /// 404: there is no such thing.
    case notFound(String)
    /// 405: the path has other methods.
    case method(allowed: [HTTPRequest.Method])
    /// 409: it contradicts what is there.
    case conflict(String)
    /// 413: more than is taken.
    case tooLarge(String)
    /// 429: too many from this peer.
    case tooMany(String, retryAfter: Int)
    /// 503: cannot be done now.
    case unavailable(String, retryAfter: Int = 60)

    /// A reason for people, for the log: without secrets, and without content that a peer chose.
    var reason: String {
        switch self {
        case .malformed(let reason), .unauthorized(let reason), .forbidden(let reason),
            .notFound(let reason), .conflict(let reason), .tooLarge(let reason), .tooMany(let reason, _),
            .unavailable(let reason, _):
            reason
        case .incomplete: "the body did not arrive whole"
        case .slow: "the body came too slowly"
        case .method: "wrong method"
        }
    }

    /// What goes over the wire: no more than the status says, so that nobody learns why.
    var response: Response {
        var response = Response.text(status, phrase)
        switch self {
        case .unauthorized: response.headers[.wwwAuthenticate] = "Basic realm=\"Login Required\""
        // Nothing more of this connection is heard.
        case .slow: response.headers[.connection] = "close"
        case .method(let allowed):
            response.headers[.allow] = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        case .tooMany(_, let seconds), .unavailable(_, let seconds):
            response.headers[.retryAfter] = "\(seconds)"
        default: break
        }
        return response
    }

    var status: HTTPResponse.Status {
        switch self {
        case .malformed, .incomplete: .badRequest
        case .slow: .requestTimeout
        case .unauthorized: .unauthorized
        case .forbidden: .forbidden
        case .notFound: .notFound
        case .method: .methodNotAllowed
        case .conflict: .conflict
        case .tooLarge: .contentTooLarge
        case .tooMany: .tooManyRequests
        case .unavailable: .serviceUnavailable
        }
    }

    private var phrase: String {
        switch self {
        case .malformed: "malformed"
        case .incomplete: "incomplete"
        case .slow: "request timeout"
        case .unauthorized: "login required"
        case .forbidden: "forbidden"
        case .notFound: "not found"
        case .method: "method not allowed"
        case .conflict: "conflict"
        case .tooLarge: "too large"
        case .tooMany: "too many requests"
        case .unavailable: "unavailable"
        }
    }
}

extension Refusal {
    /// What a request says is not what the protocol wants.
    init(_ error: ProtocolError) {
        self = .malformed("\(error)")
    }

    /// The store did not do what it was asked.
    init(_ error: StoreError) {
        switch error {
        case .hostTooLarge: self = .tooLarge("\(error)")
        case .unknownHost: self = .notFound("\(error)")
        case .conflict: self = .conflict("\(error)")
        case .undecided: self = .malformed("\(error)")
        case .unavailable, .newerSchema, .corrupt: self = .unavailable("\(error)")
        }
    }
}
