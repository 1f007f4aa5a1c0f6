import PDCrypto
import PDDocument
import PDSecrets

extension V2 {
    /// Where a machine registers its own keys, and asks what its server has to say of its keys.
    public static let keysPath = "/penguindome/v2/keys"
    /// The most bytes of an answer to ``keysPath``.
    public static let maximumKeysBytes = 8 << 20
    /// The most statements in an answer.
    static let maximumStatements = 64

    /// A machine registers and asks: the `data` of a request to ``keysPath``.
    public struct KeysRequest: Sendable, Equatable {
        /// The bytes of a ``MachineStatement``.
        public let bytes: [UInt8]
        /// The machine's Ed25519 signature over them, for ``Purpose/machine``.
        public let signature: [UInt8]
        /// What they say.
        public let statement: MachineStatement

        /// A request to send.
        public init(_ statement: MachineStatement, signedBy key: Curve25519.Signing.PrivateKey) throws {
            self.statement = statement
            bytes = statement.json()
            signature = try key.signature(of: bytes, for: .machine)
        }

        /// Reads `data`. That the machine has the key that it names is looked at here: whether the key is that of the
        /// host, it is not.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            bytes = try fields.base64("machine")
            signature = try fields.base64("signature")
            do throws(StatementError) {
                statement = try MachineStatement(json: bytes)
            } catch { throw .badField("machine", reason: "is \(error)") }
            let isGood: Bool
            do {
                isGood = try statement.keys.signing.isValidSignature(signature, of: bytes, for: .machine)
            } catch { throw .badField("signature", reason: "cannot be verified: \(error)") }
            guard isGood else { throw .badField("signature", reason: "is not of the key that is named") }
        }

        /// The `data` to sign and send.
        public func json() -> [UInt8] {
            let document: Document = [
                "machine": .string(BaseN.base64.text(bytes)),
                "signature": .string(BaseN.base64.text(signature)),
            ]
            return Array(document.json().utf8)
        }
    }

    /// How a server sees a machine's keys.
    public enum MachineStanding: String, Sendable, CaseIterable {
        /// They are the host's.
        case registered
        /// An administrator has to approve them.
        case waiting
        /// No host of that name has reported yet.
        case unknown
    }

    /// The answer to a request to ``keysPath``.
    public struct KeysAnswer: Sendable, Equatable {
        /// How the server sees the machine's keys.
        public let standing: MachineStanding
        /// What the server says of its keys, in the order in which it is to be followed.
        public let statements: [SignedStatement]
        /// The present client key for this machine alone, by ``SealedClientKey``; nothing where it has it, or may not
        /// have it.
        public let clientKey: [UInt8]?

        /// An answer to send.
        public init(standing: MachineStanding, statements: [SignedStatement], clientKey: [UInt8]?) {
            self.standing = standing
            self.statements = statements
            self.clientKey = clientKey
        }

        /// Reads an answer.
        public init(json: [UInt8]) throws(ProtocolError) {
            let document: Document
            do {
                document = try Document(json: json)
            } catch { throw .malformedJSON(error) }
            guard let standing = document["standing"]?.string.flatMap({ MachineStanding(rawValue: $0) })
            else { throw .badField("standing", reason: "is none of those that are known") }
            self.standing = standing
            let values = document["statements"]?.array ?? []
            guard values.count <= V2.maximumStatements else {
                throw .badField("statements", reason: "are more than \(V2.maximumStatements)")
            }
            var statements: [SignedStatement] = []
            for value in values {
                guard let fields = value.document else {
                    throw .badField("statements", reason: "has an element that is none")
                }
                statements.append(try SignedStatement(fields, "statement"))
            }
            self.statements = statements
            if let text = document["client_key"]?.string {
                guard let sealed = BaseN.base64.decode(text.utf8) else {
                    throw .badField("client_key", reason: "is not base64")
                }
                clientKey = sealed
            } else {
                clientKey = nil
            }
        }

        /// The JSON text to send.
        public func json() -> [UInt8] {
            var text = Array("{\"standing\":\"\(standing.rawValue)\",\"statements\":[".utf8)
            for (index, statement) in statements.enumerated() {
                text += (index == 0 ? "{" : ",{").utf8
                statement.append(as: "statement", to: &text)
                text += "}".utf8
            }
            text += "]".utf8
            if let clientKey { text += ",\"client_key\":\"\(BaseN.base64.text(clientKey))\"".utf8 }
            return text + Array("}".utf8)
        }
    }
}
