/// The mounted file systems, by `/proc/self/mountinfo` (proc(5), section 3.5 of the kernel's `filesystems/proc`).
struct MountTable {
    struct Mount: Equatable {
        /// Major and minor number, such as `254:0`. Those of btrfs and others with a pool of devices are made up.
        let number: String
        /// What of the file system is mounted: `/`, or a directory or subvolume of it.
        let root: String
        /// Where it is mounted.
        let point: String
        /// Such as `ext4`.
        let type: String
        /// What is mounted, such as `/dev/mapper/vg-root`.
        let source: String
        /// What the file system itself is set to, such as `logdev` for `logdev=/dev/sdb1`.
        let options: [String: String]
    }

    /// One for each mount point: the one that is seen there.
    let mounts: [Mount]

    init(_ text: String) {
        // Byte by byte: to Swift, a space that certain characters follow or precede is no space, and two names may be one.
        var byPoint: [[UInt8]: Mount] = [:]
        for line in text.utf8.split(separator: UInt8(ascii: "\n")) {
            // A variable number of fields, then "-", then three more.
            let fields = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
            guard let dash = fields.firstIndex(where: { $0.elementsEqual("-".utf8) }), dash > 5,
                fields.count >= dash + 3
            else { continue }
            byPoint[Array(fields[4])] = Mount(
                number: String(Substring(fields[2])), root: Self.unescape(Substring(fields[3])),
                point: Self.unescape(Substring(fields[4])), type: String(Substring(fields[dash + 1])),
                source: Self.unescape(Substring(fields[dash + 2])),
                options: fields.count > dash + 3 ? Self.options(Substring(fields[dash + 3])) : [:])
        }
        mounts = byPoint.values.sorted { $0.point < $1.point }
    }

    private static func options(_ text: Substring) -> [String: String] {
        var options: [String: String] = [:]
        for option in text.split(separator: ",") {
            let parts = option.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            options[String(parts[0])] = parts.count > 1 ? unescape(parts[1]) : ""
        }
        return options
    }

    /// The mount that holds the file.
    func mount(holding path: String) -> Mount? {
        mounts.last { $0.point == "/" || path == $0.point || path.hasPrefix($0.point + "/") }
    }

    /// Undoes the kernel's octal escapes of space, tab, newline and backslash.
    static func unescape(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\\"), rest.count >= 3,
                let value = UInt8(String(decoding: rest.prefix(3), as: UTF8.self), radix: 8)
            {
                bytes.append(value)
                rest = rest.dropFirst(3)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
