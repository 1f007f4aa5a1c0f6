import PDDocument
import PDSecrets

/// Version 2 of the wire protocol: what agents of this software ask beyond version 1. Requests are signed forms as in
/// version 1; nothing of an answer is believed but what carries its own signature.
public enum V2 {
    /// Where an agent asks what waits for it.
    public static let updatePath = "/penguindome/v2/update"
    /// Where an agent gets a release's archive, piece by piece.
    public static let releasePath = "/penguindome/v2/release"
    /// The most bytes of an archive in one answer: few enough for a slow line within the time that a request may take.
    public static let pieceBytes = 256 << 10
    /// The most bytes of an answer to ``updatePath``.
    public static let maximumAnswerBytes = 64 << 20

    /// An agent asks what waits for it: the `data` of a request to ``updatePath``.
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

    /// A patch or a command that waits for an agent.
    public struct OfferedOrder: Sendable, Equatable {
        /// By which the agent acknowledges it. What it orders is in the statement alone.
        public let id: String
        /// What somebody signed.
        public let statement: SignedStatement
        /// The content of its files by path, as it came.
        public let contents: [String: [UInt8]]

        /// An order to send.
        public init(id: String, statement: SignedStatement, contents: [String: [UInt8]]) {
            self.id = id
            self.statement = statement
            self.contents = contents
        }
    }

    /// The answer to a request to ``updatePath``.
    public struct UpdateAnswer: Sendable, Equatable {
        /// The manifest of the newest release, where it is newer than the one in use.
        public let release: SignedStatement?
        /// What waits, the oldest first.
        public let orders: [OfferedOrder]

        /// An answer to send.
        public init(release: SignedStatement?, orders: [OfferedOrder]) {
            self.release = release
            self.orders = orders
        }

        /// Reads an answer.
        public init(json: [UInt8]) throws(ProtocolError) {
            let document: Document
            do {
                document = try Document(json: json)
            } catch { throw .malformedJSON(error) }
            release = try document["release"]?.document.map { (fields) throws(ProtocolError) in
                try UpdateAnswer.statement(fields, "manifest")
            }
            var orders: [OfferedOrder] = []
            for value in document["orders"]?.array ?? [] {
                guard let fields = value.document, let id = fields["id"]?.string else {
                    throw .badField("orders", reason: "has an element that is no order")
                }
                var contents: [String: [UInt8]] = [:]
                for file in fields["files"]?.array ?? [] {
                    guard let path = file.document?["path"]?.string,
                        let content = file.document?["content"]?.string.flatMap({
                            BaseN.base64.decode($0.utf8)
                        })
                    else { throw .badField("files", reason: "has an element that is no file") }
                    contents[path] = content
                }
                orders.append(
                    OfferedOrder(
                        id: id, statement: try UpdateAnswer.statement(fields, "statement"), contents: contents
                    ))
            }
            self.orders = orders
        }

        /// The JSON text to send.
        public func json() -> [UInt8] {
            var text = Array("{".utf8)
            if let release {
                text += "\"release\":{".utf8
                Self.append(release, "manifest", to: &text)
                text += "},".utf8
            }
            text += "\"orders\":[".utf8
            for (index, order) in orders.enumerated() {
                text += "\(index == 0 ? "" : ","){\"id\":\(Value.string(order.id).json()),".utf8
                Self.append(order.statement, "statement", to: &text)
                text += ",\"files\":[".utf8
                for (index, file) in order.contents.sorted(by: { $0.key < $1.key }).enumerated() {
                    text +=
                        "\(index == 0 ? "" : ","){\"path\":\(Value.string(file.key).json()),\"content\":\""
                        .utf8
                    text += BaseN.base64.encode(file.value)
                    text += "\"}".utf8
                }
                text += "]}".utf8
            }
            return text + Array("]}".utf8)
        }

        private static func append(_ statement: SignedStatement, _ name: String, to text: inout [UInt8]) {
            text += "\"\(name)\":\"".utf8
            text += BaseN.base64.encode(statement.bytes)
            text += "\",\"signature\":\"".utf8
            text += BaseN.base64.encode(statement.signature)
            text += "\"".utf8
        }

        private static func statement(
            _ fields: Document, _ name: String
        ) throws(ProtocolError) -> SignedStatement {
            guard let bytes = fields[name]?.string.flatMap({ BaseN.base64.decode($0.utf8) }) else {
                throw .badField(name, reason: "is not base64")
            }
            guard let signature = fields["signature"]?.string.flatMap({ BaseN.base64.decode($0.utf8) }) else {
                throw .badField("signature", reason: "is not base64")
            }
            return SignedStatement(bytes: bytes, signature: signature)
        }
    }
}
