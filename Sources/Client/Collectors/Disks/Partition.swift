/// What is known of the partition or disk that a file system lies on, beside whether it is encrypted.
struct Partition {
    let machine: Machine
    private let devices: BlockDevices
    private let mount: MountTable.Mount

    init(_ mount: MountTable.Mount, _ devices: BlockDevices) {
        self.mount = mount
        self.devices = devices
        machine = devices.machine
    }

    // MARK: - For starting the machine

    /// Partition types (UEFI specification; systemd's Discoverable Partitions Specification; Microsoft's list) that hold
    /// what starts or restores the machine.
    private static let bootTypes: Set = [
        "c12a7328-f81f-11d2-ba4b-00a0c93ec93b", "bc13c2ff-59e6-4262-a352-b275fd6f7172",
        "21686148-6449-6e6f-744e-656564454649", "de94bba4-06d1-4d40-a16a-bfd50179d6ac",
        "e3c9e316-0b5c-4db8-817d-f92df00215ae", "426f6f74-0000-11aa-aa11-00306543ecac", "0xef", "0x27",
    ]
    /// Labels that installers give to them.
    private static let bootLabels: Set = [
        "boot", "efi", "esp", "recovery", "ubuntu-boot", "ubuntu-seed", "system-boot",
    ]
    /// Where they are mounted.
    private static let bootPoints = [
        "/boot", "/efi", "/esp", "/recovery", "/run/mnt/ubuntu-boot", "/run/mnt/ubuntu-seed",
    ]

    /// Whether it is there to start or to restore the machine, and has to be plain: by its type or label, else by its mount
    /// point, and never one that is as large as disks for data are.
    var isForBoot: Bool {
        guard mount.point != "/", !isLarge else { return false }
        if let type = property("ID_PART_ENTRY_TYPE"), Self.bootTypes.contains(type.lowercased()) {
            return true
        }
        for name in ["ID_PART_ENTRY_NAME", "ID_FS_LABEL"] {
            if let label = property(name)?.lowercased(),
                Self.bootLabels.contains(label.replacing(" ", with: "-"))
            {
                return true
            }
        }
        let point = mount.point.lowercased()
        return Self.bootPoints.contains { point == $0 || point.hasPrefix($0 + "/") }
    }

    /// Over 32 GiB. Sizes are in sectors of 512 bytes, whatever the disk's are.
    private var isLarge: Bool {
        devices.directory(number: mount.number).flatMap { machine.attribute($0 + "/size") }.flatMap {
            Int($0)
        }
        .map { $0 > 32 << 21 } ?? false
    }

    /// What udev knows of it.
    private func property(_ name: String) -> String? {
        guard let text = try? machine.text("/run/udev/data/b\(mount.number)") else { return nil }
        for line in text.split(separator: "\n") where line.hasPrefix("E:\(name)=") {
            return String(line.dropFirst("E:\(name)=".count))
        }
        return nil
    }

    // MARK: - Removable

    /// Where a system keeps its own; what is mounted there counts, on whatever disk.
    private static let systemPoints: Set = [
        "/", "/home", "/usr", "/var", "/opt", "/srv", "/root", "/etc", "/var/lib",
    ]

    /// Whether all that it lies on can be unplugged, and the machine does not live on it.
    var isRemovable: Bool {
        guard !Self.systemPoints.contains(mount.point) else { return false }
        let directories =
            mount.type == "btrfs"
            ? (devices.btrfsMembers(mount) ?? []).compactMap(devices.directory(name:))
            : [devices.directory(number: mount.number)].compactMap { $0 }
        return !directories.isEmpty && directories.allSatisfy { isRemovable($0, depth: 0) }
    }

    private func isRemovable(_ directory: String, depth: Int) -> Bool {
        guard depth < 32 else { return false }
        let below = (try? machine.names(in: directory + "/slaves")) ?? []
        if !below.isEmpty {
            return below.allSatisfy { name in
                machine.realPath("\(directory)/slaves/\(name)").map { isRemovable($0, depth: depth + 1) }
                    ?? false
            }
        }
        if machine.exists(directory + "/partition"), let slash = directory.lastIndex(of: "/") {
            return isRemovable(String(directory[..<slash]), depth: depth + 1)
        }
        if machine.attribute(directory + "/removable") == "1" || directory.contains("/usb") { return true }
        // A card in a reader that is not on USB.
        if machine.attribute(directory + "/device/type") == "SD" { return true }
        // PCI devices that can be unplugged: Thunderbolt, ExpressCard.
        var parent = machine.realPath(directory + "/device") ?? directory
        while let slash = parent.lastIndex(of: "/"), slash != parent.startIndex {
            if machine.attribute(parent + "/removable") == "removable" { return true }
            parent = String(parent[..<slash])
        }
        return false
    }

    // MARK: - Disks that encrypt themselves

    /// Whether it lies on disks that may encrypt by themselves without telling us.
    var maySelfEncrypt: Bool {
        devices.directory(number: mount.number).map { maySelfEncrypt($0, depth: 0) } ?? false
    }

    private func maySelfEncrypt(_ directory: String, depth: Int) -> Bool {
        guard depth < 32 else { return false }
        let below = (try? machine.names(in: directory + "/slaves")) ?? []
        if !below.isEmpty {
            return below.allSatisfy { name in
                machine.realPath("\(directory)/slaves/\(name)").map { maySelfEncrypt($0, depth: depth + 1) }
                    ?? false
            }
        }
        if machine.exists(directory + "/partition"), let slash = directory.lastIndex(of: "/") {
            return maySelfEncrypt(String(directory[..<slash]), depth: depth + 1)
        }
        let name = String(directory.split(separator: "/").last ?? "")
        if name.hasPrefix("nvme") { return mayLock("/dev/\(name)") }
        // The kernel passes such commands on to other disks only where it was told to.
        guard name.hasPrefix("sd"),
            ((try? machine.text("/proc/cmdline")) ?? "").contains("libata.allow_tpm=1")
        else {
            return false
        }
        return mayLock("/dev/\(name)")
    }

    /// Root is told; what others cannot ask for may be so.
    private func mayLock(_ path: String) -> Bool {
        let status = machine.opalStatus(path)
        return machine.isRoot ? status == .locking : status != .off
    }
}
