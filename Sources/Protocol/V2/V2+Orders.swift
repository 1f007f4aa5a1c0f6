import PDDocument
import PDSecrets

extension V2 {
    /// Where an agent asks which orders wait for it.
    public static let ordersPath = "/penguindome/v2/orders"
    /// Where an agent says what became of an order.
    public static let receiptPath = "/penguindome/v2/order_receipt"
    /// The most bytes of an answer to ``ordersPath``.
    public static let maximumOrdersBytes = 64 << 20

    /// An agent asks which orders wait for it: the `data` of a request to ``ordersPath``.
    public struct OrdersRequest: Sendable, Equatable {
        /// Who asks.
        public let hostname: Hostname

        /// A request to send.
        public init(hostname: Hostname) {
            self.hostname = hostname
        }

        /// Reads `data`.
        public init(json: [UInt8]) throws(ProtocolError) {
            hostname = try RequestFields(json: json).hostname()
        }

        /// The `data` to sign and send.
        public func json() -> [UInt8] {
            let document: Document = ["hostname": .string(hostname.name)]
            return Array(document.json().utf8)
        }
    }

    /// An order that waits for an agent.
    public struct OfferedOrder: Sendable, Equatable {
        /// By which the agent says what became of it. What it orders is in the statement alone.
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

    /// The answer to a request to ``ordersPath``.
    public struct OrdersAnswer: Sendable, Equatable {
        /// What waits, the oldest first.
        public let orders: [OfferedOrder]

        /// An answer to send.
        public init(orders: [OfferedOrder]) {
            self.orders = orders
        }

        /// Reads an answer.
        public init(json: [UInt8]) throws(ProtocolError) {
            let document: Document
            do {
                document = try Document(json: json)
            } catch { throw .malformedJSON(error) }
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
                        id: id, statement: try SignedStatement(fields, "statement"), contents: contents))
            }
            self.orders = orders
        }

        /// The JSON text to send.
        public func json() -> [UInt8] {
            var text = Array("{\"orders\":[".utf8)
            for (index, order) in orders.enumerated() {
                text += "\(index == 0 ? "" : ","){\"id\":\(Value.string(order.id).json()),".utf8
                order.statement.append(as: "statement", to: &text)
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
    }

    /// An agent says what became of an order: the `data` of a request to ``receiptPath``.
    public struct Receipt: Sendable, Equatable {
        /// How far it has come.
        public enum State: String, Sendable, CaseIterable {
            /// It was found good and is about to be carried out.
            case received
            /// Its program runs, or will be tried again.
            case running
            /// It was carried out; a program ended with 0.
            case done
            /// Its program did not end with 0, as often as it may be tried.
            case failed
            /// It is not what this host obeys.
            case refused
        }

        /// Who says so.
        public let hostname: Hostname
        /// The order, by the id under which it was offered.
        public let id: String
        /// How far it has come.
        public let state: State
        /// How often its program was started.
        public let attempts: Int
        /// What the program's last run ended with.
        public let returncode: Int?
        /// Why it was refused or could not be run, for people.
        public let reason: String?

        /// A receipt to send.
        public init(
            hostname: Hostname, id: String, state: State, attempts: Int = 0, returncode: Int? = nil,
            reason: String? = nil
        ) {
            self.hostname = hostname
            self.id = id
            self.state = state
            self.attempts = attempts
            self.returncode = returncode
            self.reason = reason
        }

        /// Reads `data`.
        public init(json: [UInt8]) throws(ProtocolError) {
            let fields = try RequestFields(json: json)
            hostname = try fields.hostname()
            id = try fields.text("id")
            guard let state = State(rawValue: try fields.text("state")) else {
                throw .badField("state", reason: "is none of those that are known")
            }
            self.state = state
            attempts = Int(clamping: try fields.count("attempts"))
            returncode = try fields.optionalInteger("returncode")
            reason = try fields.optionalText("reason")
        }

        /// The `data` to sign and send.
        public func json() -> [UInt8] {
            var writer = DocumentWriter()
            writer.append("hostname", .string(hostname.name))
            writer.append("id", .string(id))
            writer.append("state", .string(state.rawValue))
            writer.append("attempts", .int(attempts))
            if let returncode { writer.append("returncode", .int(returncode)) }
            if let reason { writer.append("reason", .string(reason)) }
            return Array(writer.finish().json().utf8)
        }
    }
}
