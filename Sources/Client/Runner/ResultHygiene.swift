import PDDocument

/// Keeps results fit to be stored and shown: bounded texts, and none that moves the cursor of whoever reads them.
enum ResultHygiene {
    /// The most bytes of one text. Names and reasons are short; what is longer is not a fact but a file.
    static let textLimit = 64 << 10

    static func cleaned(_ value: Value) -> Value {
        switch value {
        case .string(let text): .string(cleaned(text))
        case .array(let values): .array(values.map(cleaned))
        case .document(let document):
            .document(Document(document.map { (cleaned($0.key), cleaned($0.value)) }))
        default: value
        }
    }

    private static func cleaned(_ text: String) -> String {
        let isClean = text.utf8.count <= textLimit && !text.unicodeScalars.contains(where: isControl)
        guard !isClean else { return text }
        var scalars = String.UnicodeScalarView()
        var bytes = 0
        for scalar in text.unicodeScalars {
            bytes += UTF8.width(scalar)
            guard bytes <= textLimit else { break }
            scalars.append(isControl(scalar) ? "?" : scalar)
        }
        return String(scalars)
    }

    /// Control characters but tab and newline.
    private static func isControl(_ scalar: Unicode.Scalar) -> Bool {
        scalar.value < 0x20 && scalar != "\t" && scalar != "\n" || (0x7F...0x9F).contains(scalar.value)
    }
}
