import Foundation
import PDDocument
import PDProtocol

extension Order {
    /// The fields of version 1, and with them `order` and, for the order in which patches were added, `number`.
    func stored(key: Value, number: Int) -> Document {
        var writer = DocumentWriter()
        writer.append("_id", key)
        writer.append("submitted_at", .date(milliseconds: submittedAt))
        var seen: Set<Hostname> = []
        writer.append("pending_hosts", .array(pendingHosts.filter { seen.insert($0).inserted }.map(\.value)))
        writer.append(
            "completed_hosts", .array(completedHosts.filter { seen.insert($0).inserted }.map(\.value)))
        writer.append(
            "files",
            .array(
                files.map { file in
                    [
                        "path": .string(file.path), "mode": .int(file.mode),
                        "content": .binary(subtype: 0, bytes: file.content),
                    ]
                }))
        if let signed {
            writer.append(
                "order",
                [
                    "statement": .binary(subtype: 0, bytes: signed.statement),
                    "signature": .binary(subtype: 0, bytes: signed.signature),
                ])
        }
        if !receipts.isEmpty {
            writer.append(
                "receipts",
                .array(
                    receipts.sorted { $0.key.name < $1.key.name }.map { .document($0.value.stored($0.key)) }))
        }
        writer.append("number", .int64(Int64(number)))
        return writer.finish()
    }

    /// From a document of either version.
    init(stored: Document) throws(StoreError) {
        guard case .objectID(let id)? = stored["_id"] else {
            throw .corrupt(reason: "a patch has a malformed identifier")
        }
        let text = id.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        var files: [File] = []
        for file in stored["files"]?.array ?? [] {
            guard let file = file.document, let path = file["path"]?.string else {
                throw .corrupt(reason: "patch \(text) has a file without a path")
            }
            files.append(
                File(
                    path: path, mode: file["mode"]?.integer ?? 0,
                    content: try Self.content(file["content"], of: text)))
        }
        var signed: Order.Signed?
        if let stored = stored["order"]?.document {
            signed = Order.Signed(
                statement: try Self.content(stored["statement"], of: text),
                signature: try Self.content(stored["signature"], of: text))
        }
        self.init(
            id: text, submittedAt: stored["submitted_at"]?.milliseconds ?? 0, files: files,
            pendingHosts: Self.hosts(stored["pending_hosts"]),
            completedHosts: Self.hosts(stored["completed_hosts"]),
            receipts: try OrderReceipt.receipts(stored["receipts"], of: text),
            signed: signed)
    }

    /// The `_id` of a patch; nothing where the text is no identifier.
    static func key(_ id: String) -> Value? {
        let digits = Array(id.utf8)
        guard digits.count == 24 else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: 24, by: 2) {
            guard let high = hexDigit(digits[index]), let low = hexDigit(digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return .objectID(bytes)
    }

    /// In lower case only, so that a patch has one name.
    private static func hexDigit(_ byte: UInt8) -> UInt8? {
        switch byte {
        case 0x30...0x39: byte - 0x30
        case 0x61...0x66: byte - 0x61 + 10
        default: nil
        }
    }

    /// Bytes, or base64 as text. A patch is listed without them.
    private static func content(_ value: Value?, of patch: String) throws(StoreError) -> [UInt8] {
        switch value {
        case nil, .null: return []
        case .binary(_, let bytes): return bytes
        case .string(let text):
            guard let data = Data(base64Encoded: text, options: .ignoreUnknownCharacters) else {
                throw .corrupt(reason: "patch \(patch) has a file that is not base64")
            }
            return [UInt8](data)
        default: throw .corrupt(reason: "patch \(patch) has a file without content")
        }
    }

    /// Names, or lists that begin with one.
    private static func hosts(_ value: Value?) -> [Hostname] {
        (value?.array ?? []).compactMap { entry in
            (entry.string ?? entry.array?.first?.string).flatMap { Hostname($0) }
        }
    }
}

extension Hostname {
    /// The name as BSON text.
    var value: Value { .string(name) }
}

extension OrderReceipt {
    /// The receipt of a host as an element of `receipts`.
    func stored(_ host: Hostname) -> Document {
        [
            "host": host.value, "state": .string(state.rawValue), "attempts": .int(attempts),
            "returncode": returncode.map(Value.int) ?? .null, "reason": reason.map(Value.string) ?? .null,
            "at": .date(milliseconds: at),
        ]
    }

    /// All receipts of an order.
    static func receipts(_ stored: Value?, of order: String) throws(StoreError) -> [Hostname: OrderReceipt] {
        var receipts: [Hostname: OrderReceipt] = [:]
        for element in stored?.array ?? [] {
            guard let fields = element.document, let host = fields["host"]?.string.flatMap({ Hostname($0) }),
                let state = fields["state"]?.string.flatMap(State.init)
            else { throw .corrupt(reason: "order \(order) has a receipt that is none") }
            receipts[host] = OrderReceipt(
                state: state, attempts: fields["attempts"]?.integer ?? 0,
                returncode: fields["returncode"]?.integer, reason: fields["reason"]?.string,
                at: fields["at"]?.milliseconds ?? 0)
        }
        return receipts
    }
}
