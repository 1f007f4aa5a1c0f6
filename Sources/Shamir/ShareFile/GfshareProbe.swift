/// Tells texts from libgfshare's shares, which are bare bytes without any mark.
///
/// A text that is taken for bare bytes would be combined into something else than the secret, and nothing could tell. A
/// share's bytes are uniformly random: that 64 of them are text has a probability of about 2⁻⁷⁰, that 128 are, 2⁻¹⁴⁰.
/// Shorter files are taken for text only where they say that they are a share.
public enum GfshareProbe {
    /// How many of a file's first bytes decide; fewer where it is shorter.
    public static let startBytes = 4096

    private static let mark = Array("PENGUINDOME SHARE".utf8)
    /// In UTF-16 the lines before the first name, which need not be ASCII, have more than so many bytes.
    private static let textBytes = 64...128

    /// Whether a file is text, perhaps a damaged share of the native format, and no share of libgfshare's.
    ///
    /// - Parameter start: the file's first ``startBytes`` bytes, which may be secret. Nothing is copied.
    public static func isText(_ start: UnsafeRawBufferPointer) -> Bool {
        if holdsMark(start) { return true }
        guard start.count >= textBytes.lowerBound else { return false }
        let text = UnsafeRawBufferPointer(rebasing: start.prefix(textBytes.upperBound))
        return isUTF16(text) || isUTF8(text)
    }

    /// Whether the words of the BEGIN line occur, in whatever letter case, and in UTF-16 too.
    private static func holdsMark(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var matched = 0
        for byte in bytes where byte != 0 {
            let upper = 0x61...0x7a ~= byte ? byte - 0x20 : byte
            // No end of a part of the mark is its beginning, so that a mismatch leaves nothing or the first letter.
            matched = upper == mark[matched] ? matched + 1 : upper == mark[0] ? 1 : 0
            if matched == mark.count { return true }
        }
        return false
    }

    /// Whether every other byte is zero and the rest ASCII, but for a byte order mark.
    private static func isUTF16(_ text: UnsafeRawBufferPointer) -> Bool {
        [2, 3].contains { first in
            stride(from: first, to: text.count, by: 2).allSatisfy { text[$0] == 0 }
                && stride(from: 5 - first, to: text.count, by: 2).allSatisfy { isPlain(text[$0]) }
        }
    }

    /// Whether all is UTF-8 without control characters; the last character may be cut off.
    private static func isUTF8(_ text: UnsafeRawBufferPointer) -> Bool {
        var decoder = UTF8()
        var bytes = text.makeIterator()
        var decoded = 0
        while true {
            switch decoder.decode(&bytes) {
            case .scalarValue(let scalar):
                if let byte = UInt8(exactly: scalar.value), byte < 0x80, !isPlain(byte) { return false }
                decoded += UTF8.width(scalar)
            case .emptyInput: return true
            case .error: return text.count - decoded < 4
            }
        }
    }

    /// Whether a byte is a printable ASCII character or blank.
    private static func isPlain(_ byte: UInt8) -> Bool {
        0x20...0x7e ~= byte || 0x09...0x0d ~= byte
    }
}
