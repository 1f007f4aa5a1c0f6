import PDSecrets
import PDShamir

/// Shares of libgfshare's format, read side by side in bounded memory.
package struct GfshareSet {
    package let inputs: [ShareInput.Gfshare]
    /// Bytes of the secret.
    package let bytes: Int
    /// Of the first shares up to the threshold, where it is known, else of all.
    private let combiner: Combiner
    /// Where the threshold is known and there are more shares.
    private let agreement: Agreement?

    package static let warning =
        "warning: libgfshare's format cannot tell whether these shares are enough and fit together: check the result"

    /// What must have happened before anyone removes what new shares were made from.
    package static func proof(threshold: Int, shares: Int) -> String {
        shares > threshold
            ? "`pd-shares verify --threshold \(threshold)` has accepted all \(shares) new shares"
            : "`pd-shares combine` has restored the same bytes from the new shares into another file (`pd-shares verify` "
                + "cannot prove them: all are needed, and none is left to check the others)"
    }

    /// - Parameter threshold: where the caller knows it.
    package init(_ inputs: [ShareInput.Gfshare], threshold: Int?) throws(ToolError) {
        guard let first = inputs.first else { throw .usage("no shares were given") }
        func name(_ input: ShareInput.Gfshare) -> String { Printable.path(input.file.name) }
        for (index, input) in inputs.enumerated() {
            for earlier in inputs[..<index] where earlier.number == input.number {
                let same = try Self.equal(earlier, input)
                throw ToolError(
                    "\(name(earlier)) and \(name(input)) have the same number and "
                        + (same
                            ? "are the same share twice: leave one out" : "differ: leave the wrong one out"))
            }
            guard input.bytes == first.bytes else {
                throw ToolError(
                    "\(name(input)) has \(input.bytes) bytes, \(name(first)) has \(first.bytes): shares of one secret "
                        + "are equally long")
            }
        }
        guard first.bytes > 0 else { throw ToolError("\(name(first)) is empty: it is no share") }
        let need = threshold ?? 2
        guard inputs.count >= need else {
            throw ToolError("\(ShareFileError.notEnough(have: inputs.count, need: need))")
        }
        self.inputs = inputs
        bytes = first.bytes
        do throws(ShamirError) {
            let points = inputs.map(\.number)
            combiner = try Combiner(points: Array(points.prefix(threshold ?? points.count)))
            agreement =
                if let threshold, threshold < points.count {
                    try Agreement(points: points, threshold: threshold)
                } else {
                    nil
                }
        } catch {
            throw ToolError("\(error)")
        }
    }

    /// Whether something beyond the shares' word speaks for the result: more shares than a known threshold.
    package var isChecked: Bool { agreement != nil }

    /// Restores the secret piece by piece.
    ///
    /// - Parameter verifyFirst: read everything once before handing out anything, so that the end is checked too. The
    ///   shares are regular files, which can be read twice.
    package func combine(verifyFirst: Bool = false, take: (UnsafeRawBufferPointer) throws -> Void) throws {
        if verifyFirst, isChecked { try combine { _ in } }
        let reader = try Reader(self)
        while let piece = try reader.next() { try piece.withUnsafeBytes { try take($0) } }
    }

    /// Restores piece after piece.
    package final class Reader {
        private let set: GfshareSet
        private let pieceBytes: Int
        private var shares: [SecretBytes]
        private var done = 0

        package init(_ set: GfshareSet) throws(ToolError) {
            self.set = set
            let bytes = ShareOutput.pieceBytes(buffers: set.inputs.count + 2)
            pieceBytes = bytes
            shares = set.inputs.map { _ in SecretBytes(count: bytes) }
            for input in set.inputs { try input.file.rewind() }
        }

        /// The next piece of the secret; nil after the last.
        package func next() throws -> SecretBytes? {
            guard done < set.bytes else { return nil }
            let length = min(pieceBytes, set.bytes - done)
            for (index, input) in set.inputs.enumerated() {
                let count = try shares[index].withUnsafeMutableBytes {
                    try input.file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[..<length]))
                }
                guard count == length else {
                    throw ToolError("\(Printable.path(input.file.name)) changed while it was read: try again")
                }
            }
            var secret = SecretBytes(count: length)
            try SecretBytes.withUnsafeBytes(of: shares) { shares in
                let pieces = shares.map { UnsafeRawBufferPointer(rebasing: $0[..<length]) }
                if let agreement = set.agreement {
                    guard try agreement.holds(pieces) else { throw try set.misfit(agreement, pieces) }
                }
                try secret.withUnsafeMutableBytes {
                    try set.combiner.combine(Array(pieces[..<set.combiner.points.count]), into: $0)
                }
            }
            done += length
            return secret
        }
    }

    /// What is wrong with shares of which a piece does not fit.
    private func misfit(_ agreement: Agreement, _ pieces: [UnsafeRawBufferPointer]) throws -> ToolError {
        if let place = try agreement.misfit(pieces) {
            return ToolError(
                "\(Printable.path(inputs[place].file.name)) does not fit the other shares, which agree with each other: "
                    + "leave it out")
        }
        return ToolError(
            inputs.count == combiner.points.count + 1
                ? "the shares do not fit together: at least one is wrong, or the threshold is; with one more share it can be named"
                : "the shares do not fit together: more than one is wrong, or the threshold is")
    }

    private static func equal(_ a: ShareInput.Gfshare, _ b: ShareInput.Gfshare) throws(ToolError) -> Bool {
        guard a.bytes == b.bytes else { return false }
        try a.file.rewind()
        try b.file.rewind()
        var pieces = [SecretBytes(count: 65_536), SecretBytes(count: 65_536)]
        while true {
            let first = try pieces[0].withUnsafeMutableBytes { piece throws(ToolError) in
                try a.file.read(into: piece)
            }
            let second = try pieces[1].withUnsafeMutableBytes { piece throws(ToolError) in
                try b.file.read(into: piece)
            }
            guard first == second, pieces[0] == pieces[1] else { return false }
            if first == 0 { return true }
        }
    }
}
