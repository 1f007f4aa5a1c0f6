extension String {
    /// The text, or where it is longer, its beginning and a mark.
    ///
    /// - Parameter characters: how many Unicode scalars are kept.
    package func cut(to characters: Int) -> String {
        guard utf8.count > characters, unicodeScalars.count > characters else { return self }
        return String(String.UnicodeScalarView(unicodeScalars.prefix(characters))) + "[cut]"
    }
}
