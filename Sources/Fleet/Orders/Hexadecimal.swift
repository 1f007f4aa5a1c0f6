import PDSecrets

/// Lower-case hexadecimal digits.
func hexadecimal(_ bytes: [UInt8]) -> String {
    String(decoding: BaseN.hexadecimal.encode(bytes), as: UTF8.self)
}
