extension [UInt8] {
    /// Upper-case hexadecimal digits, two for each byte.
    var hex: String {
        let digits = Array("0123456789ABCDEF".utf8)
        return String(decoding: flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }
}
