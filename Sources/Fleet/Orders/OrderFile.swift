import PDCrypto
import PDDocument
import PDProtocol
import PDSecrets
import PDStore

/// An order in a file: written on one machine, signed on another, sent from a third.
///
/// The file is JSON. `format` is `penguindome-order-file-1`; `statement` the bytes that are signed and `signature` the
/// detached signature over them, both in base64; `files` the files with `path`, `mode` and their `content` in base64. The
/// signature is missing until somebody has signed.
package struct OrderFile: Sendable, Equatable {
    package static let format = "penguindome-order-file-1"
    /// The most bytes of such a file.
    package static let sizeLimit = 64 << 20

    /// What it says.
    package let draft: OrderDraft
    /// All files, with those for agents of version 1.
    package let files: [Order.File]
    /// The signature over the statement, once there is one.
    package let signature: [UInt8]?

    /// A file with an order that nobody has signed.
    package init(_ draft: OrderDraft) {
        self.draft = draft
        files = draft.files
        signature = nil
    }

    /// A file with an order that was signed.
    package init(_ draft: OrderDraft, signed order: Order) {
        self.draft = draft
        files = order.files
        signature = order.signed?.signature
    }

    /// Reads a file.
    ///
    /// - Throws: ``FleetError`` that names it.
    package init(json: [UInt8], file: String) throws(FleetError) {
        func failure(_ reason: String) -> FleetError { FleetError(.failed, "\(file) is no order: \(reason)") }
        let document: Document
        do {
            document = try Document(json: json)
        } catch { throw failure("\(error)") }
        guard document["format"]?.string == Self.format else {
            throw failure("its format is not \(Self.format)")
        }
        func bytes(_ value: Value?, _ name: String) throws(FleetError) -> [UInt8] {
            guard let bytes = value?.string.flatMap({ BaseN.base64.decode($0.utf8) }) else {
                throw failure("\(name) is not base64")
            }
            return bytes
        }
        let statement: OrderStatement
        do {
            statement = try OrderStatement(json: try bytes(document["statement"], "statement"))
        } catch let error as StatementError {
            throw failure("\(error)")
        } catch let error as FleetError {
            throw error
        } catch { throw failure("\(error)") }
        var files: [Order.File] = []
        for value in document["files"]?.array ?? [] {
            guard let path = value.document?["path"]?.string, let mode = value.document?["mode"]?.integer
            else {
                throw failure("a file of it has no path or mode")
            }
            files.append(
                Order.File(path: path, mode: mode, content: try bytes(value.document?["content"], path)))
        }
        self.files = files
        draft = try OrderDraft(statement, files.filter { !$0.path.hasPrefix(Order.signatureFolder) })
        signature = try document["signature"].map { (value) throws(FleetError) in
            try bytes(value, "signature")
        }
    }

    /// The text of the file.
    package var json: String {
        func text(_ bytes: [UInt8]) -> Value {
            .string(String(decoding: BaseN.base64.encode(bytes), as: UTF8.self))
        }
        var writer = DocumentWriter()
        writer.append("format", .string(Self.format))
        writer.append("statement", text(draft.statement.json()))
        if let signature { writer.append("signature", text(signature)) }
        writer.append(
            "files",
            .array(
                files.map { ["path": .string($0.path), "mode": .int($0.mode), "content": text($0.content)] }))
        return writer.finish().json() + "\n"
    }
}
