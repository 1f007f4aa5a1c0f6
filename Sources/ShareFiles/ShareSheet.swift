import PDSecrets
import PDShamir

/// A page for one holder: what this is, what to do with it, the share to read and as a QR code. As HTML, as SVG and as
/// text, each of which needs nothing else.
package struct ShareSheet {
    private let share: Share
    private let lines: [String]
    private let code: QRCode?
    private let recoveryHash: String

    /// - Parameter recoveryHash: SHA-256 of the recovery script, in hexadecimal.
    package init(_ share: Share, recoveryHash: String) {
        self.share = share
        self.recoveryHash = recoveryHash
        let text = share.encoded()
        lines = text.withUnsafeBytes { String(decoding: $0, as: UTF8.self) }.split(separator: "\n").map(
            String.init)
        code = text.withUnsafeBytes { QRCode(Array($0)) }
    }

    private var set: ShareSet { share.set }
    private var title: String {
        "Share \(share.number) of \(set.shares)" + (share.holder.map { " for \($0)" } ?? "")
    }
    private var secret: String { self.set.label.map { "\"\($0)\"" } ?? "a secret" }

    private var sections: [(title: String, text: String)] {
        var isSealed = false
        if case .sealed = self.set.content { isSealed = true }
        return [
            (
                "What this is",
                "One of \(set.shares) shares of the secret \(secret), split on \(set.created). Any \(set.threshold) of the "
                    + "\(set.shares) holders together restore it; fewer learn nothing."
                    + (isSealed
                        ? " The secret itself is in a sealed file (its name ends in .sealed), of which every holder has a copy: keep it too, on a medium beside this page. It is worth nothing without the shares."
                        : "")
                    + (share.protection != nil
                        ? " This share is locked: its holder's passphrase is needed too." : "")
            ),
            (
                "How to keep it",
                "On paper, dry and dark, where only you can reach it, in a sealed envelope with your name. Do not photograph, "
                    + "scan, mail or store it in a cloud. Tell the others at once if it is lost or was seen: they make new "
                    + "shares (pd-shares refresh), and this one is destroyed."
            ),
            (
                "Once a year",
                "On a machine without network: pd-shares drill, and type this page. It says whether the share is whole. Send "
                    + "the record, never the share, to the others."
            ),
            (
                "On the day of need",
                "Meet the other holders. On a machine without network: pd-shares combine --out FILE, and type one share after "
                    + "the other, or pd-shares combine --qr PHOTO. Capitals, spaces, O for 0 and I for 1 do not matter; each "
                    + "line is checked as it is typed."
            ),
            (
                "Without the program",
                "python3 recover.py SHARE... (the file beside the sheets; Python's standard library alone). Its SHA-256: "
                    + "\(recoveryHash)"
            ),
        ]
    }

    /// Plain text, lines of at most 78 characters but for the share's own.
    package var text: String {
        var result = title + "\n\n"
        for section in sections {
            result += Self.wrapped("\(section.title). \(section.text)", 78).joined(separator: "\n") + "\n\n"
        }
        return result + lines.joined(separator: "\n") + "\n"
    }

    package var html: String {
        let body = sections.map {
            "<p><b>\(Printable.markup($0.title)).</b> \(Printable.markup($0.text))</p>"
        }
        .joined(separator: "\n")
        let rows = lines.enumerated().map {
            "<tr><td>\($0.offset + 1)</td><td><pre>\(Printable.markup($0.element))</pre></td></tr>"
        }.joined(separator: "\n")
        return """
            <!DOCTYPE html>
            <html lang="en"><head><meta charset="utf-8"><title>\(Printable.markup(title))</title>
            <style>
            @page { size: A4; margin: 14mm }
            body { font: 10pt/1.35 sans-serif; max-width: 182mm; margin: 0 auto; color: #000; background: #fff }
            h1 { font-size: 16pt; margin: 0 0 2mm }
            p { margin: 0 0 1.5mm }
            pre { font: bold 10.5pt/1.3 "DejaVu Sans Mono", "Liberation Mono", monospace; margin: 0 }
            td:first-child { color: #777; padding-right: 3mm; text-align: right; font-size: 8pt }
            td { padding: 0 }
            svg { display: block; margin: 3mm auto 0; width: 80mm; height: 80mm }
            </style></head><body>
            <h1>\(Printable.markup(title))</h1>
            \(body)
            <table>
            \(rows)
            </table>
            \(code?.svg ?? "<p>This share is too long for a QR code.</p>")
            </body></html>

            """
    }

    /// A page of A4 in millimetres.
    package var svg: String {
        var result = """
            <svg xmlns="http://www.w3.org/2000/svg" width="210mm" height="297mm" viewBox="0 0 210 297">
            <rect width="210" height="297" fill="#fff"/>
            <text x="14" y="20" font-family="sans-serif" font-size="6" font-weight="bold">\(Printable.markup(title))</text>

            """
        var y = 27.0
        for section in sections {
            for line in Self.wrapped("\(section.title). \(section.text)", 104) {
                result +=
                    "<text x=\"14\" y=\"\(y)\" font-family=\"sans-serif\" font-size=\"3.3\">\(Printable.markup(line))</text>\n"
                y += 4.2
            }
            y += 1.4
        }
        for (index, line) in lines.enumerated() {
            result +=
                "<text x=\"12\" y=\"\(y)\" font-family=\"sans-serif\" font-size=\"2.4\" fill=\"#777\" text-anchor=\"end\">\(index + 1)</text>"
            result +=
                "<text x=\"14\" y=\"\(y)\" xml:space=\"preserve\" font-family=\"monospace\" font-weight=\"bold\" font-size=\"4\">\(Printable.markup(line))</text>\n"
            y += 5
        }
        if let code {
            let scale = min(80, 290 - y) / Double(code.sizeWithQuietZone)
            result +=
                "<g transform=\"translate(\(105 - scale * Double(code.sizeWithQuietZone) / 2) \(y)) scale(\(scale))\" shape-rendering=\"crispEdges\">\(code.svgShapes)</g>\n"
        }
        return result + "</svg>\n"
    }

    private static func wrapped(_ text: String, _ width: Int) -> [String] {
        var lines = [""]
        for word in text.split(separator: " ") {
            if lines[lines.count - 1].count + word.count + 1 > width, !lines[lines.count - 1].isEmpty {
                lines.append("")
            }
            lines[lines.count - 1] += (lines[lines.count - 1].isEmpty ? "" : " ") + word
        }
        return lines
    }
}
