import PDSecrets

/// Turns pieces of any length into a source that fills buffers.
package final class PieceSource {
    private let next: () throws -> SecretBytes?
    private var piece: SecretBytes?
    private var used = 0

    package init(next: @escaping () throws -> SecretBytes?) { self.next = next }

    package convenience init(_ single: SecretBytes) {
        var pieces = [single]
        self.init { pieces.popLast() }
    }

    package func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        var count = 0
        while count < buffer.count {
            if piece.map({ used == $0.count }) ?? true {
                piece = try next()
                used = 0
            }
            guard let piece else { break }
            let length = min(piece.count - used, buffer.count - count)
            piece.withUnsafeBytes {
                UnsafeMutableRawBufferPointer(rebasing: buffer[count..<(count + length)])
                    .copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[used..<(used + length)]))
            }
            used += length
            count += length
        }
        return count
    }
}
