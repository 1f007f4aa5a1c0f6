/// The bytes that HTTP and URLs are made of.
extension UInt8 {
    static let carriageReturn = UInt8(ascii: "\r")
    static let lineFeed = UInt8(ascii: "\n")
    static let space = UInt8(ascii: " ")

    var isBlank: Bool { self == .space || self == UInt8(ascii: "\t") }
    var isVisible: Bool { (0x21...0x7E).contains(self) }
    /// What may stand in a field's value: visible characters, blanks, and whatever is no ASCII.
    var isText: Bool { isVisible || isBlank || self >= 0x80 }
    var isDigit: Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(self) }

    var isLetter: Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(self | 0x20)
    }

    /// RFC 9110, section 5.6.2.
    var isToken: Bool { isLetter || isDigit || "!#$%&'*+-.^_`|~".utf8.contains(self) }

    /// RFC 3986, section 2.3.
    var isUnreserved: Bool { isLetter || isDigit || "-._~".utf8.contains(self) }

    var lowercased: UInt8 { isLetter ? self | 0x20 : self }

    var hexadecimalValue: Int? {
        if isDigit { return Int(self - UInt8(ascii: "0")) }
        let letter = self | 0x20
        guard (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(letter) else { return nil }
        return Int(letter - UInt8(ascii: "a")) + 10
    }
}
