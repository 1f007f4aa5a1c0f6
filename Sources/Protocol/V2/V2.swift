import PDDocument
import PDSecrets

/// Version 2 of the wire protocol: what agents of this software ask beyond version 1. Requests are signed forms as in
/// version 1; nothing of an answer is believed but what carries its own signature.
public enum V2 {
    /// Where an agent asks for a release that is newer than its own.
    public static let updatePath = "/penguindome/v2/update"
    /// Where an agent gets a release's archive, piece by piece.
    public static let releasePath = "/penguindome/v2/release"
    /// The most bytes of an archive in one answer: few enough for a slow line within the time that a request may take.
    public static let pieceBytes = 256 << 10
    /// The most bytes of an answer to ``updatePath``: a manifest and its signature in base64.
    public static let maximumAnswerBytes = 8 << 20

    /// An agent asks for a newer release: the `data` of a request to ``updatePath``.
    public struct UpdateRequest: Sendable, Equatable {
        /// Who asks.
        public let hostname: Hostname
        /// The release in use there; 0 where there is none.
        public let release: Int

        /// A request to send.
        public init(hostname: Hostname, release: Int) {
            self.hostname = hostname
            self.release = release
        }

        /// Reads `data`.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            hostname = try fields.hostname()
            release = Int(clamping: try fields.count("release"))
        }

        /// The `data` to sign and send.
        public func json() -> [UInt8] {
            let document: Document = ["hostname": .string(hostname.name), "release": .int(release)]
            return Array(document.json().utf8)
        }
    }

    /// An agent asks for some of an archive: the `data` of a request to ``releasePath``. The answer is the bytes from the
    /// offset on, at most ``pieceBytes`` of them, and none at the end.
    public struct ReleaseRequest: Sendable, Equatable {
        /// Who asks.
        public let hostname: Hostname
        /// The release.
        public let number: Int
        /// From which byte on.
        public let offset: Int

        /// A request to send.
        public init(hostname: Hostname, number: Int, offset: Int) {
            self.hostname = hostname
            self.number = number
            self.offset = offset
        }

        /// Reads `data`.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            hostname = try fields.hostname()
            number = Int(clamping: try fields.count("number"))
            offset = Int(clamping: try fields.count("offset"))
        }

        /// The `data` to sign and send.
        public func json() -> [UInt8] {
            let document: Document = [
                "hostname": .string(hostname.name), "number": .int(number), "offset": .int(offset),
            ]
            return Array(document.json().utf8)
        }
    }

    /// The answer to a request to ``updatePath``: the manifest of the newest release, where it is newer than the one in use.
    public struct UpdateAnswer: Sendable, Equatable {
        /// What somebody signed.
        public let release: SignedStatement?

        /// An answer to send.
        public init(release: SignedStatement?) {
            self.release = release
        }

        /// Reads an answer.
        public init(json: [UInt8]) throws(ProtocolError) {
            let document: Document
            do {
                document = try Document(json: json)
            } catch { throw .malformedJSON(error) }
            release = try document["release"]?.document.map { (fields) throws(ProtocolError) in
                try SignedStatement(fields, "manifest")
            }
        }

        /// The JSON text to send.
        public func json() -> [UInt8] {
            var text = Array("{".utf8)
            if let release {
                text += "\"release\":{".utf8
                release.append(as: "manifest", to: &text)
                text += "}".utf8
            }
            return text + Array("}".utf8)
        }
    }
}

extension SignedStatement {
    /// Reads what ``append(as:to:)`` writes.
    init(_ fields: Document, _ name: String) throws(ProtocolError) {
        guard let bytes = fields[name]?.string.flatMap({ BaseN.base64.decode($0.utf8) }) else {
            throw .badField(name, reason: "is not base64")
        }
        guard let signature = fields["signature"]?.string.flatMap({ BaseN.base64.decode($0.utf8) }) else {
            throw .badField("signature", reason: "is not base64")
        }
        self.init(bytes: bytes, signature: signature)
    }

    /// Adds it to a JSON object, under a name and under `signature`.
    func append(as name: String, to text: inout [UInt8]) {
        text += "\"\(name)\":\"".utf8
        text += BaseN.base64.encode(bytes)
        text += "\",\"signature\":\"".utf8
        text += BaseN.base64.encode(signature)
        text += "\"".utf8
    }
}
