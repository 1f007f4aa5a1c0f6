/// Comparisons whose duration does not tell what was compared.
public enum ConstantTime {
    /// Whether both hold the same bytes. The time depends on the lengths, never on the contents.
    public static func isEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
        left.withContiguousBytes { left in right.withContiguousBytes { isEqual(left, $0) } }
    }

    /// Whether both hold the same bytes. Not inlined, so that no caller's knowledge of an operand reaches the loop.
    @inline(never)
    public static func isEqual(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in 0..<left.count { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
