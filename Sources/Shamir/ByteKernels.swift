/// Loops over plain bytes that the compiler turns into vector instructions. `SIMDn<UInt8>` operators stay scalar
/// in Swift 6.3, plain loops with masks do not.
///
/// Which bytes are read never depends on their values; the number of steps depends on lengths only.
enum ByteKernels {
    typealias Target = UnsafeMutablePointer<UInt8>
    typealias Source = UnsafePointer<UInt8>

    /// `target` = `source` · x.
    static func double(_ source: Source, into target: Target, count: Int) {
        for i in 0..<count { target[i] = GF256.double(source[i]) }
    }

    /// `target` = `target` · x + the sum of one to three rows.
    static func doubleAndAdd(_ target: Target, _ rows: ArraySlice<Source>, count: Int) {
        var rows = rows
        switch rows.count {
        case 0:
            for i in 0..<count { target[i] = GF256.double(target[i]) }
        case 1:
            let a = rows.removeFirst()
            for i in 0..<count { target[i] = GF256.double(target[i]) ^ a[i] }
        case 2:
            let (a, b) = (rows.removeFirst(), rows.removeFirst())
            for i in 0..<count { target[i] = GF256.double(target[i]) ^ a[i] ^ b[i] }
        default:
            let (a, b, c) = (rows.removeFirst(), rows.removeFirst(), rows.removeFirst())
            for i in 0..<count { target[i] = GF256.double(target[i]) ^ a[i] ^ b[i] ^ c[i] }
            add(rows, to: target, count: count)
        }
    }

    /// `target` = `first` + the sum of the rows.
    static func sum(_ first: Source, _ rows: ArraySlice<Source>, into target: Target, count: Int) {
        var rows = rows
        switch rows.count {
        case 0:
            target.update(from: first, count: count)
        case 1:
            let a = rows.removeFirst()
            for i in 0..<count { target[i] = first[i] ^ a[i] }
        case 2:
            let (a, b) = (rows.removeFirst(), rows.removeFirst())
            for i in 0..<count { target[i] = first[i] ^ a[i] ^ b[i] }
        case 3:
            let (a, b, c) = (rows.removeFirst(), rows.removeFirst(), rows.removeFirst())
            for i in 0..<count { target[i] = first[i] ^ a[i] ^ b[i] ^ c[i] }
        default:
            let (a, b) = (rows.removeFirst(), rows.removeFirst())
            let (c, d) = (rows.removeFirst(), rows.removeFirst())
            for i in 0..<count { target[i] = first[i] ^ a[i] ^ b[i] ^ c[i] ^ d[i] }
            add(rows, to: target, count: count)
        }
    }

    /// `target` = `target` + the sum of the rows, a few rows per pass to save loads and stores.
    static func add(_ rows: ArraySlice<Source>, to target: Target, count: Int) {
        var rows = rows
        while rows.count >= 4 {
            let (a, b) = (rows.removeFirst(), rows.removeFirst())
            let (c, d) = (rows.removeFirst(), rows.removeFirst())
            for i in 0..<count { target[i] ^= a[i] ^ b[i] ^ c[i] ^ d[i] }
        }
        while let a = rows.popFirst() {
            for i in 0..<count { target[i] ^= a[i] }
        }
    }
}
