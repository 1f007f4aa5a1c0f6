/// Answers whether what is written to a block device reaches every disk below it encrypted.
///
/// Goes by sysfs alone, so no root is needed: a device-mapper device tells by its `uuid` that it is an encryption layer
/// (`CRYPT-LUKS2-…`), and `slaves/` names the devices below. *Every* path down must meet an encryption layer: a volume
/// group or mirror over one encrypted and one plain disk is plain.
struct BlockDevices {
    let machine: Machine
    let mounts: MountTable

    /// What is known of a device, and which layers encrypt it.
    struct Answer: Equatable {
        var encrypted: Bool?
        var layers: Set<String> = []
        /// Why nothing is known.
        var problem: String?

        static func unknown(_ problem: String) -> Answer {
            Answer(encrypted: nil, problem: problem)
        }

        /// The answer for data that is spread over all of these.
        static func all(_ answers: [Answer]) -> Answer {
            Answer(
                encrypted: answers.contains { $0.encrypted == false }
                    ? false : answers.contains { $0.encrypted == nil } ? nil : true,
                layers: answers.reduce(into: []) { $0.formUnion($1.layers) },
                problem: answers.lazy.compactMap(\.problem).first)
        }
    }

    /// By the first part of the mapper's uuid; `CRYPT-VERITY-` and `CRYPT-INTEGRITY-` only check.
    private static let layers = [
        ("CRYPT-LUKS2-", "LUKS2"), ("CRYPT-LUKS1-", "LUKS1"), ("CRYPT-PLAIN-", "plain dm-crypt"),
        ("CRYPT-BITLK-", "BitLocker"), ("CRYPT-TCRYPT-", "VeraCrypt"), ("CRYPT-FVAULT2-", "FileVault"),
    ]

    // MARK: - File systems

    /// The answer for a mounted file system.
    func answer(for mount: MountTable.Mount) -> Answer {
        switch mount.type {
        case "zfs": zfs(dataset: mount.source)
        case "btrfs": btrfs(mount)
        case "bcachefs": bcachefs(mount)
        default: answer(number: mount.number)
        }
    }

    private func zfs(dataset: String) -> Answer {
        do {
            let output = try machine.run("zfs", "get", "-H", "-o", "value", "encryption", dataset)
            guard output.returncode == 0 else { return .unknown("zfs: \(output.complaint)") }
            let value = trimmed(output.text)
            return value == "off" || value == "-"
                ? Answer(encrypted: false) : Answer(encrypted: true, layers: ["ZFS"])
        } catch {
            return .unknown("\(error)")
        }
    }

    /// The number in the mount table is made up; the members of the pool that the source belongs to count.
    private func btrfs(_ mount: MountTable.Mount) -> Answer {
        guard let name = kernelName(mount.source) else {
            return .unknown("the device \(mount.source) is not in /sys")
        }
        let pools = (try? machine.names(in: "/sys/fs/btrfs")) ?? []
        for pool in pools {
            let members = (try? machine.names(in: "/sys/fs/btrfs/\(pool)/devices")) ?? []
            if members.contains(name) { return .all(members.map { answer(name: $0) }) }
        }
        return .unknown("the members of the btrfs on \(mount.source) are not in /sys/fs/btrfs")
    }

    /// May also encrypt by itself, which only its own tools on the raw device can tell.
    private func bcachefs(_ mount: MountTable.Mount) -> Answer {
        let answer = Answer.all(
            mount.source.split(separator: ":").map { member in
                kernelName(String(member)).map { self.answer(name: $0) }
                    ?? .unknown("the device \(member) is not in /sys")
            })
        return answer.encrypted == true ? answer : .unknown("whether bcachefs itself encrypts cannot be seen")
    }

    // MARK: - Devices

    /// The answer for a device by its path under /dev.
    func answer(path: String) -> Answer {
        kernelName(path).map { answer(name: $0) } ?? .unknown("the device \(path) is not in /sys")
    }

    private func answer(number: String) -> Answer {
        guard let directory = machine.realPath("/sys/dev/block/\(number)") else {
            return .unknown("the device \(number) is not in /sys")
        }
        return walk(directory, depth: 0)
    }

    private func answer(name: String) -> Answer {
        guard
            let directory = machine.realPath("/sys/class/block/\(name)")
                ?? machine.realPath("/sys/block/\(name)")
        else { return .unknown("the device \(name) is not in /sys") }
        return walk(directory, depth: 0)
    }

    /// The kernel's name of a device: of `/dev/mapper/vg-root`, `dm-3`.
    func kernelName(_ path: String) -> String? {
        if let real = machine.realPath(path), let name = real.split(separator: "/").last.map(String.init),
            machine.exists("/sys/class/block/\(name)")
        {
            return name
        }
        // Without udev the names under /dev/mapper are no links; the kernel knows them too.
        guard path.hasPrefix("/dev/mapper/") else { return nil }
        let wanted = path.dropFirst("/dev/mapper/".count)
        return ((try? machine.names(in: "/sys/class/block")) ?? []).first { name in
            name.hasPrefix("dm-") && machine.attribute("/sys/class/block/\(name)/dm/name") ?? "" == wanted
        }
    }

    /// A name that stays the same when devices are numbered anew at the next start.
    func stableName(_ path: String) -> String {
        kernelName(path).flatMap { machine.attribute("/sys/class/block/\($0)/dm/name") }
            .map { "/dev/mapper/\($0)" } ?? path
    }

    private func walk(_ directory: String, depth: Int) -> Answer {
        guard depth < 32 else { return .unknown("devices are stacked more than 32 deep") }
        if let uuid = machine.attribute(directory + "/dm/uuid"),
            let layer = Self.layers.first(where: { uuid.hasPrefix($0.0) })
        {
            return Answer(encrypted: true, layers: [layer.1])
        }
        let below: [String]
        do {
            below = try machine.names(in: directory + "/slaves")
        } catch {
            return .unknown("\(error)")
        }
        if !below.isEmpty {
            return .all(
                below.map { name in
                    guard let next = machine.realPath("\(directory)/slaves/\(name)") else {
                        return .unknown("the device \(name) is not in /sys")
                    }
                    return walk(next, depth: depth + 1)
                })
        }
        // A partition is written through to the device that it is a part of.
        if machine.exists(directory + "/partition"), let slash = directory.lastIndex(of: "/") {
            return walk(String(directory[..<slash]), depth: depth + 1)
        }
        // A loop device is a file on some mounted file system.
        if let file = machine.attribute(directory + "/loop/backing_file") {
            guard let mount = mounts.mount(holding: file), mount.number != "0:0" else {
                return .unknown("the file system that holds \(file) is not mounted here")
            }
            return mount.type == "btrfs" || mount.type == "zfs" || mount.type == "bcachefs"
                ? answer(for: mount) : loop(mount, depth: depth)
        }
        return Answer(encrypted: false)
    }

    private func loop(_ mount: MountTable.Mount, depth: Int) -> Answer {
        guard let directory = machine.realPath("/sys/dev/block/\(mount.number)") else {
            return .unknown("the device \(mount.number) is not in /sys")
        }
        return walk(directory, depth: depth + 1)
    }
}
