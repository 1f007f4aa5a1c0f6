import PDShamir

/// Pages with a sealed file as QR codes, four on each, for a holder who trusts paper more than a medium.
package struct SealedSheet {
    private let parts: [SealedPart]
    private let set: String

    /// - Throws: ``ToolError`` for a file that would need too many pages.
    package init(_ file: InputFile) throws(ToolError) {
        try file.rewind()
        let limit = SealedPart.maximumBytes * SealedPart.maximumCount
        let bytes = try file.readAll(limit: limit)?.withUnsafeBytes { Array($0) }
        parts = SealedPart.parts(of: bytes ?? [])
        guard let first = parts.first else {
            throw ToolError(
                "\(Printable.path(file.name)): a sealed file of more than \(limit) bytes would need too many pages: keep it on a "
                    + "medium",
                exitCode: 2)
        }
        set = first.set
    }

    /// What the files are called.
    package var stem: String { "sealed.\(set)" }
    package var pages: Int { (parts.count + 3) / 4 }

    private var title: String { "Sealed file of set \(set)" }
    private var instructions: String {
        "This is the sealed secret. It is worth nothing without enough shares of the set, and they are worth nothing without "
            + "it: every holder may keep a copy. It has \(parts.count) parts. On the day of need: pd-shares combine --qr PHOTO "
            + "--qr PHOTO … with a picture of each page, beside the shares."
    }

    /// The parts as text, which can be mailed and given to combine as it is.
    package var text: String { "\(title)\n\n\(instructions)\n\n\(parts.map(\.text).joined(separator: "\n"))" }

    package var html: String {
        let codes = parts.map { part in
            let code = QRCode(Array(part.text.utf8))
            return
                "<figure>\(code?.svg ?? "")<figcaption>\(part.number) of \(part.count)</figcaption></figure>"
        }
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(title)</title>
            <style>
            @page { size: A4; margin: 10mm }
            body { font: 10pt/1.35 sans-serif; max-width: 190mm; margin: 0 auto; color: #000; background: #fff }
            h1 { font-size: 16pt; margin: 0 0 2mm }
            p { margin: 0 0 2mm }
            figure { display: inline-block; width: 92mm; margin: 0; text-align: center; break-inside: avoid }
            svg { display: block; width: 92mm; height: 92mm }
            </style></head><body>
            <h1>\(title)</h1>
            <p>\(instructions)</p>
            \(codes.joined(separator: "\n"))
            </body></html>

            """
    }
}
