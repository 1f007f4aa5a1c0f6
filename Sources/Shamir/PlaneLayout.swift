/// How the shares are made from bit planes.
///
/// A product c·p with a *public* factor p is the sum of those c·2ᵇ for which bit b of p is set. So the planes
/// c, 2c, 4c … of a coefficient row are computed once, in a scratch block that stays in the first-level cache, and
/// each share is a sum of some of them. Which ones depends on the shares' numbers alone.
struct PlaneLayout {
    /// Bytes of the secret that are worked on at a time.
    static let blockBytes = 1024
    /// Coefficient rows whose planes are in the scratch memory at a time.
    private static let rowsPerGroup = 2
    /// The scratch memory that ``evaluation(planes:)`` wants.
    static let scratchBytes = rowsPerGroup * 8 * blockBytes

    /// One coefficient row of a group: planes 0...highestBit are needed.
    private struct Row {
        let index: Int
        let highestBit: Int
    }

    private struct Group {
        let rows: [Row]
        /// For each share the numbers of the planes that it is the sum of.
        let planes: [[Int]]
    }

    private let groups: [Group]

    init(points: [UInt8], rows: Int) {
        var powers = points
        var groups: [Group] = []
        var row = 0
        while row < rows {
            var groupRows: [Row] = []
            var planes = [[Int]](repeating: [], count: points.count)
            for slot in 0..<min(Self.rowsPerGroup, rows - row) {
                let highest = powers.map { 7 - $0.leadingZeroBitCount }.max() ?? 0
                groupRows.append(Row(index: row + slot, highestBit: highest))
                for share in points.indices {
                    for bit in 0..<8 where powers[share] >> bit & 1 == 1 {
                        planes[share].append(slot * 8 + bit)
                    }
                    powers[share] = GF256.multiply(powers[share], points[share])
                }
            }
            groups.append(Group(rows: groupRows, planes: planes))
            row += Self.rowsPerGroup
        }
        self.groups = groups
    }

    /// The layout with its plane numbers turned into addresses in `planes`, which follow each other so closely that
    /// a short secret uses, and later wipes, little of it.
    ///
    /// - Parameter count: the bytes of the secret.
    func evaluation(planes: UnsafeMutablePointer<UInt8>, count: Int) -> Evaluation {
        let blockBytes = min(Self.blockBytes, count)
        return Evaluation(
            planes: planes, blockBytes: blockBytes,
            groups: groups.map { group in
                Evaluation.Group(
                    rows: group.rows.map { ($0.index, $0.highestBit) },
                    sources: group.planes.map { numbers in
                        numbers.map { UnsafePointer(planes + $0 * blockBytes) }
                    })
            })
    }

    /// Evaluates polynomials at all points, block by block.
    struct Evaluation {
        struct Group {
            let rows: [(index: Int, highestBit: Int)]
            let sources: [[UnsafePointer<UInt8>]]
        }

        let planes: UnsafeMutablePointer<UInt8>
        let blockBytes: Int
        let groups: [Group]

        /// The scratch memory that is used.
        var scratchBytes: Int { PlaneLayout.rowsPerGroup * 8 * blockBytes }

        /// - Parameters:
        ///   - constant: `count` constant terms.
        ///   - coefficients: rows of `count` bytes, row j holding the coefficients of xʲ⁺¹.
        ///   - shares: where the values go, `offset` bytes in.
        func evaluate(
            constant: UnsafePointer<UInt8>, coefficients: UnsafePointer<UInt8>, count: Int,
            into shares: [UnsafeMutablePointer<UInt8>], at offset: Int
        ) {
            var start = 0
            while start < count {
                let length = min(blockBytes, count - start)
                for (number, group) in groups.enumerated() {
                    for (slot, row) in group.rows.enumerated() {
                        var plane = planes + slot * 8 * blockBytes
                        plane.update(from: coefficients + row.index * count + start, count: length)
                        for _ in 0..<row.highestBit {
                            ByteKernels.double(plane, into: plane + blockBytes, count: length)
                            plane += blockBytes
                        }
                    }
                    for (share, sources) in zip(shares, group.sources) {
                        let target = share + offset + start
                        if number == 0 {
                            ByteKernels.sum(constant + start, sources[...], into: target, count: length)
                        } else {
                            ByteKernels.add(sources[...], to: target, count: length)
                        }
                    }
                }
                start += length
            }
        }
    }
}
