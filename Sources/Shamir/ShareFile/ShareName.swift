/// What people may call a secret or a holder on a share: one to a hundred bytes of UTF-8 in normalisation form C that
/// print as they are.
public enum ShareName {
    /// The longest name, in bytes of UTF-8.
    public static let maximumBytes = 100

    /// Whether `name` may stand on a share: no control characters, nothing that changes the direction of text or is
    /// invisible, single spaces U+0020 inside only, and not `-`, which stands for no name. Between two visible characters beyond
    /// ASCII the two zero-width joiners may stand, which Persian and Indian names and composed emoji are written with.
    public static func isValid(_ name: String) -> Bool {
        guard 1...maximumBytes ~= name.utf8.count, name != "-" else { return false }
        guard name.unicodeScalars.elementsEqual(normalised(name).unicodeScalars) else { return false }
        let scalars = Array(name.unicodeScalars)
        guard
            scalars.indices.allSatisfy({
                !isHidden(scalars[$0]) && !isForeignSpace(scalars[$0]) || joins(scalars, at: $0)
            })
        else {
            return false
        }
        return name.utf8.first != 0x20 && name.utf8.last != 0x20 && !hasDoubleSpace(name)
    }

    /// Whether a character could make a terminal or a reader show something else than what is there: controls,
    /// line and paragraph separators, formatting and direction marks, private code points.
    public static func isHidden(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .surrogate: true
        default: false
        }
    }

    /// Whether a character looks like a space and is none that a keyboard has.
    static func isForeignSpace(_ scalar: Unicode.Scalar) -> Bool {
        scalar != " " && scalar.properties.generalCategory == .spaceSeparator
    }

    /// Whether U+200C or U+200D stands where it changes what is seen. Between ASCII characters it would be invisible.
    private static func joins(_ scalars: [Unicode.Scalar], at place: Int) -> Bool {
        guard scalars[place] == "\u{200c}" || scalars[place] == "\u{200d}" else { return false }
        return [place - 1, place + 1].allSatisfy {
            scalars.indices.contains($0) && !scalars[$0].isASCII && !isHidden(scalars[$0])
        }
    }

    private static func hasDoubleSpace(_ name: String) -> Bool {
        zip(name.utf8, name.utf8.dropFirst()).contains { $0 == 0x20 && $1 == 0x20 }
    }
}
