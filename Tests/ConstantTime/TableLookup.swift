// Sources: Sources/Secrets/*.swift Sources/Shamir/GF256.swift Sources/Shamir/ByteKernels.swift
//
// The proof that the harness sees: multiplication by tables, as libgfshare does it, must be reported.

@main
enum TableLookup {
    static func main() {
        var exponents = [UInt8](repeating: 1, count: 510)
        var logarithms = [Int](repeating: 0, count: 256)
        for index in 1..<510 { exponents[index] = GF256.multiply(exponents[index - 1], 2) }
        for index in 0..<255 { logarithms[Int(exponents[index])] = index }
        let secret = SecretBytes(copying: (1...64).map { UInt8($0) })
        secret.withUnsafeBytes { pd_mark_secret($0.baseAddress, $0.count) }
        var sum: UInt8 = 0
        secret.withUnsafeBytes { for byte in $0 { sum ^= exponents[logarithms[Int(byte)] + 7] } }
        withUnsafeBytes(of: &sum) { pd_mark_public($0.baseAddress, 1) }
        print("table look-up, result \(sum)")
    }
}
