extension String {
    /// The text without what a terminal, a log viewer or a browser would obey or hide: control and format characters (among
    /// them those that turn the direction of writing), separators of lines and paragraphs, and what Unicode gives no
    /// meaning become `?`. For all that hosts, people and other programs chose.
    public var printable: String {
        guard !utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { return self }
        return String(UnicodeScalarView(unicodeScalars.map { $0.isPrintable ? $0 : "?" }))
    }
}

extension Unicode.Scalar {
    fileprivate var isPrintable: Bool {
        switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned, .privateUse:
            false
        default: true
        }
    }
}
