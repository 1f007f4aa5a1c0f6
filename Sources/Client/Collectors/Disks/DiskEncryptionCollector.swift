import PDDocument

/// `hd_encryption`: whether what this machine stores reaches its disks encrypted.
///
/// `on` where every file system on its disks and all swap space is encrypted, `off` where one of them is not, wherever it is
/// mounted. What starts or restores the machine, and what can be unplugged, is reported apart and does not count; read-only
/// images are left out.
struct DiskEncryptionCollector: Collector {
    let name = "hd_encryption"
    let commands: Set = ["dmsetup", "zfs", "zpool"]

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        if let kind = Container.kind(machine) {
            return [
                "status": "not_applicable",
                "reason": .string("a container (\(kind)): its disks are the host's"),
                "mounts": [], "swap": [],
            ]
        }
        let table = MountTable(try machine.text("/proc/self/mountinfo"))
        let devices = BlockDevices(machine: machine, mounts: table)
        let places = Self.onePerFileSystem(table.mounts.filter(Self.isOnDisk))
        let partitions = places.map { ($0, Partition($0, devices)) }
        let boot = partitions.filter { $0.1.isForBoot }.map { Finding($0.0, devices) }
        let removable = partitions.filter { !$0.1.isForBoot && $0.1.isRemovable }.map {
            Finding($0.0, devices)
        }
        var counted = partitions.filter { !$0.1.isForBoot && !$0.1.isRemovable }.map {
            Finding($0.0, devices, $0.1)
        }
        let swap = try Self.swap(machine, devices)
        // A disk that encrypts by itself is told apart from one that does not by nothing that others than root see. Where
        // layers of software do the work, it is not asked for.
        if devices.hasLayers || (counted + swap).contains(where: { $0.answer.encrypted == true }) {
            counted = counted.map(\.withoutDoubt)
        }
        let overlay = Self.overlay(table, devices)

        let (verdict, reason) = Self.summary(counted + (overlay.map { [$0] } ?? []) + swap.filter(\.counts))
        var result = DocumentWriter()
        result.append("status", .string(verdict))
        result.append("reason", ifPresent: reason)
        result.append("mounts", .array(counted.map { .document($0.document(key: "mount")) }))
        result.append("swap", .array(swap.map { .document($0.document(key: "kind")) }))
        if !removable.isEmpty {
            result.append("removable", .array(removable.map { .document($0.document(key: "mount")) }))
        }
        if !boot.isEmpty { result.append("boot", .array(boot.map { .document($0.document(key: "mount")) })) }
        return .document(result.finish())
    }

    // MARK: - What counts

    private static let imageTypes: Set<String> = ["squashfs", "erofs", "iso9660", "udf", "cramfs", "romfs"]

    private static func isOnDisk(_ mount: MountTable.Mount) -> Bool {
        if imageTypes.contains(mount.type) { return false }
        // Pools have made-up numbers; all others without a device (tmpfs, proc, nfs, overlay, fuse) have major 0.
        return ["btrfs", "zfs", "bcachefs"].contains(mount.type) || !mount.number.hasPrefix("0:")
    }

    /// A root file system of layers, as live systems have it: what is written goes where its upper layer is.
    private static func overlay(_ table: MountTable, _ devices: BlockDevices) -> Finding? {
        guard let root = table.mount(holding: "/"), root.type == "overlay",
            let upper = root.options["upperdir"]
        else {
            return nil
        }
        guard let mount = table.mount(holding: upper), mount.point != "/" else {
            return Finding(root, .unknown("an overlay, and where it writes is not mounted here"))
        }
        return isOnDisk(mount) ? Finding(root, devices.file(upper)) : nil
    }

    /// The shortest mount point stands for a file system that is mounted several times (bind mounts, subvolumes).
    private static func onePerFileSystem(_ mounts: [MountTable.Mount]) -> [MountTable.Mount] {
        var seen: Set<[String]> = []
        return mounts.sorted { ($0.point.utf8.count, $0.point) < ($1.point.utf8.count, $1.point) }
            .filter { seen.insert([$0.source, $0.type == "btrfs" ? "" : $0.number]).inserted }
            .sorted { $0.point < $1.point }
    }

    /// Reads `/proc/swaps`: path, kind, and numbers that change.
    private static func swap(_ machine: Machine, _ devices: BlockDevices) throws -> [Finding] {
        try (machine.textIfPresent("/proc/swaps") ?? "").split(separator: "\n").dropFirst()
            .compactMap { line in
                let fields = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
                return fields.count >= 2 ? (MountTable.unescape(fields[0]), String(fields[1])) : nil
            }
            .sorted { $0.0 < $1.0 }
            .map { path, kind in
                if kind == "file" {
                    return Finding(kind, path, devices.file(path))
                }
                guard let name = devices.kernelName(path), name.hasPrefix("zram") else {
                    return Finding(kind, devices.stableName(path), devices.answer(path: path))
                }
                // In memory, unless it may spill over to a disk.
                let spill = machine.attribute("/sys/class/block/\(name)/backing_dev") ?? "none"
                return spill == "none" || spill.isEmpty
                    ? Finding(inMemory: path) : Finding("zram", path, devices.answer(path: spill))
            }
    }

    private static func summary(_ findings: [Finding]) -> (verdict: String, reason: String?) {
        if findings.isEmpty { return ("not_applicable", "no file system on a disk of its own") }
        let plain = findings.filter { $0.answer.encrypted == false }
        if !plain.isEmpty {
            return ("off", "not encrypted: " + plain.map(\.title).joined(separator: ", "))
        }
        if let unclear = findings.first(where: { $0.answer.encrypted == nil }) {
            return ("unknown", "\(unclear.title): \(unclear.answer.problem ?? "cannot be told")")
        }
        return ("on", nil)
    }
}

/// One file system or swap space with what is known of it.
private struct Finding {
    let label: String
    let device: String
    let answer: BlockDevices.Answer
    /// The answer by the layers of software alone.
    private let seen: BlockDevices.Answer
    /// Whether it has a part in the verdict.
    let counts: Bool
    let title: String

    /// - Parameter partition: where what the disk does by itself is asked for as well.
    init(_ mount: MountTable.Mount, _ devices: BlockDevices, _ partition: Partition? = nil) {
        label = mount.point
        let members = mount.type == "btrfs" ? devices.btrfsMembers(mount) ?? [] : []
        // Whichever member of several was named at the mount.
        let source = members.count > 1 ? "/dev/\(members[0])" : mount.source
        device = mount.type == "zfs" ? mount.source : devices.stableName(source)
        let found = devices.answer(for: mount)
        let isDoubtful = found.encrypted == false && partition?.maySelfEncrypt == true
        answer =
            isDoubtful ? .unknown("whether the drive encrypts itself (OPAL) cannot be seen") : found
        seen = found
        counts = true
        title = mount.point
    }

    init(_ mount: MountTable.Mount, _ answer: BlockDevices.Answer) {
        label = mount.point
        device = mount.source
        self.answer = answer
        seen = answer
        counts = true
        title = mount.point
    }

    /// The answer without what the disk may do by itself.
    var withoutDoubt: Finding { Finding(self, answer: seen) }

    private init(_ other: Finding, answer: BlockDevices.Answer) {
        label = other.label
        device = other.device
        self.answer = answer
        seen = answer
        counts = other.counts
        title = other.title
    }

    init(_ kind: String, _ device: String, _ answer: BlockDevices.Answer) {
        label = kind
        self.device = device
        self.answer = answer
        seen = answer
        counts = true
        title = "swap \(device)"
    }

    init(inMemory device: String) {
        label = "zram"
        self.device = device
        answer = BlockDevices.Answer(encrypted: nil)
        seen = answer
        counts = false
        title = "swap \(device)"
    }

    func document(key: String) -> Document {
        var result = DocumentWriter()
        result.append(key, .string(label))
        result.append("device", .string(device))
        result.append(
            "encrypted", answer.encrypted.map(Value.bool) ?? (counts ? "unknown" : "not_applicable"))
        if !answer.layers.isEmpty {
            result.append("via", .string(answer.layers.sorted().joined(separator: ", ")))
        }
        result.append("reason", ifPresent: answer.problem)
        return result.finish()
    }
}
