import PDDocument

/// Version 1 of the wire protocol: what existing agents and servers of PenguinDome send to each other.
///
/// Everything here is pure: bytes in, values out, and back.
public enum V1 {
    /// The two spellings under which every endpoint is reached.
    public static let pathPrefixes = ["/penguindome/v1", "/PenguinDome/v1"]

    /// Where agents deliver what they collected.
    public static let submitPath = "/penguindome/v1/submit"

    /// The most that a `submit` request's body may have, in bytes.
    public static let maximumBodyBytes = 16 << 20

    /// The most that the body of any other request may have, in bytes: names, keys and a signature.
    public static let maximumRequestBytes = 64 << 10

    /// How the file beside a release `N.tar.asc` ends that names its files, one path a line: what agents of version 1 have
    /// once they took it, and delete when the next one does not name it.
    public static let releasePathsSuffix = ".v1-files"

    /// The most that the body of a pipe's `send` may have, in bytes.
    public static let maximumPipeMessageBytes = 1 << 20
}

/// Why the content of a request is not what the protocol asks for. No case carries private data.
public enum ProtocolError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The `Content-Type` is neither a URL-encoded form nor `multipart/form-data`.
    case notAForm
    /// The form breaks the encoding's own rules.
    case malformedForm(reason: String)
    /// A field that must be there is not.
    case missingField(String)
    /// A field occurs twice.
    case repeatedField(String)
    /// `data` is not JSON as this protocol wants it.
    case malformedJSON(JSONError)
    /// A field of `data` has the wrong type or a value that is not allowed.
    case badField(String, reason: String)

    /// One line for people.
    public var description: String {
        switch self {
        case .notAForm: "the body is not a form"
        case .malformedForm(let reason): "malformed form: \(reason)"
        case .missingField(let name): "\(name) is missing"
        case .repeatedField(let name): "\(name) occurs twice"
        case .malformedJSON(let error): "\(error)"
        case .badField(let name, let reason): "\(name) \(reason)"
        }
    }
}
