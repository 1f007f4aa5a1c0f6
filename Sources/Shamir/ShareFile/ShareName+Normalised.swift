// Swift's standard library has canonical composition, but no public name for it; Foundation, which does, would be three
// times the size of a program that has to fit anywhere.
import PDSecrets
@_spi(_Unicode) import Swift

extension ShareName {
    /// A name as it is written on shares: Unicode's normalisation form C, so that two keyboards spell it alike.
    public static func normalised(_ name: String) -> String {
        var scalars = String.UnicodeScalarView()
        for scalar in name._nfc { scalars.append(scalar) }
        return String(scalars)
    }

    /// A passphrase as it goes into the key: normalisation form C, with every space as U+0020. Text that is no UTF-8
    /// stays as it is.
    public static func normalisedPassphrase(_ passphrase: SecretBytes) -> SecretBytes {
        passphrase.withUnsafeBytes { bytes in
            guard bytes.contains(where: { $0 >= 0x80 }),
                let text = String(validating: bytes, as: UTF8.self)
            else { return passphrase }
            var result: [UInt8] = []
            // Composition grows no text by more than this factor (UAX 15, section 9).
            result.reserveCapacity(bytes.count * 3)
            defer { result.withUnsafeMutableBytes { $0.wipe() } }
            for scalar in text._nfc {
                let isSpace = scalar.properties.generalCategory == .spaceSeparator
                result += Array(String(isSpace ? " " : scalar).utf8)
            }
            return SecretBytes(copying: result)
        }
    }
}
