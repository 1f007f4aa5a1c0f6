/// The file names of libgfshare's tools: `STEM.NNN`, where NNN is the share's number in three digits.
public enum GfshareName {
    /// The share's number in a file name.
    ///
    /// `gfcombine` itself takes `.256` for 0 and `.300` for 44; here they are none.
    /// - Returns: nil unless the name ends in a dot and three digits from 001 to 255.
    public static func number(in name: String) -> UInt8? {
        let suffix = Array(name.utf8.suffix(4))
        guard suffix.count == 4, suffix[0] == 0x2e, suffix[1...].allSatisfy({ 0x30...0x39 ~= $0 }) else {
            return nil
        }
        let number = suffix[1...].reduce(0) { $0 * 10 + Int($1 - 0x30) }
        return 1...255 ~= number ? UInt8(number) : nil
    }

    /// The name of a share.
    public static func name(stem: String, number: UInt8) -> String {
        let digits = String(number)
        return stem + "." + String(repeating: "0", count: 3 - digits.utf8.count) + digits
    }
}
