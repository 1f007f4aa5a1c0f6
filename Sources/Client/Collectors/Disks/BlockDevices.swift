/// Answers whether what is written to a block device reaches every disk below it encrypted.
///
/// Goes by sysfs alone, so no root is needed: a device-mapper device tells by its `uuid` that it is an encryption layer
/// (`CRYPT-LUKS2-…`), and `slaves/` names the devices below. *Every* path down must meet an encryption layer: a volume
/// group or mirror over one encrypted and one plain disk is plain.
struct BlockDevices {
    let machine: Machine
    let mounts: MountTable
    /// Devices that dm-crypt passes through unencrypted (`cipher_null`), by their names in the mapper. Known to root alone.
    private let hollow: Set<String>

    init(machine: Machine, mounts: MountTable) {
        self.machine = machine
        self.mounts = mounts
        hollow = machine.isRoot ? Self.hollow(machine) : []
    }

    private static func hollow(_ machine: Machine) -> Set<String> {
        // Without the tool, the layers are believed.
        guard let output = try? machine.run("dmsetup", "table", "--target", "crypt"), output.returncode == 0
        else {
            return []
        }
        return Set(
            output.text.split(separator: "\n").compactMap { line in
                line.contains(" cipher_null") ? line.prefix { $0 != ":" }.description : nil
            })
    }

    /// What is known of a device, and which layers encrypt it.
    struct Answer: Equatable {
        var encrypted: Bool?
        var layers: Set<String> = []
        /// Why nothing is known.
        var problem: String?

        static func unknown(_ problem: String) -> Answer {
            Answer(encrypted: nil, problem: problem)
        }

        /// The answer where the other device gets a part of what this one gets.
        func and(_ other: Answer) -> Answer {
            switch other.encrypted {
            case true?: self
            case false?: Answer(encrypted: false)
            case nil: encrypted == false ? self : other
            }
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
        answer(for: mount, depth: 0)
    }

    private func answer(for mount: MountTable.Mount, depth: Int) -> Answer {
        let data =
            switch mount.type {
            case "zfs": zfs(dataset: mount.source, depth: depth)
            case "btrfs": btrfs(mount, depth: depth)
            case "bcachefs": bcachefs(mount, depth: depth)
            default: answer(number: mount.number, depth: depth)
            }
        // Journals and the like that lie elsewhere get what the file system gets.
        return ["logdev", "rtdev", "jdev", "journal_path"].reduce(data) { answer, option in
            mount.options[option].map { answer.and(self.answer(path: $0, depth: depth)) } ?? answer
        }
    }

    private func zfs(dataset: String, depth: Int) -> Answer {
        do {
            let output = try machine.run("zfs", "get", "-H", "-o", "value", "encryption", dataset)
            guard output.returncode == 0 else { return .unknown("zfs: \(output.complaint)") }
            let value = trimmed(output.text)
            guard value == "off" || value == "-" else { return Answer(encrypted: true, layers: ["ZFS"]) }
            return pool(String(dataset.prefix { $0 != "/" && $0 != "@" }), depth: depth)
        } catch {
            return .unknown("\(error)")
        }
    }

    /// What lies below a pool that does not encrypt by itself.
    private func pool(_ name: String, depth: Int) -> Answer {
        guard let output = try? machine.run("zpool", "status", "-LP", name), output.returncode == 0 else {
            // Without an encryption layer anywhere there is none below the pool.
            return hasLayers
                ? .unknown("the devices of the pool \(name) cannot be listed") : Answer(encrypted: false)
        }
        var isSpare = false
        var answers: [Answer] = []
        for line in output.text.split(separator: "\n") {
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            if words.first == "spares" { isSpare = true }
            guard let path = words.first, path.hasPrefix("/"), !isSpare else { continue }
            answers.append(
                path.hasPrefix("/dev/")
                    ? answer(path: String(path), depth: depth) : file(String(path), depth: depth))
        }
        return answers.isEmpty ? .unknown("zpool lists no device of the pool \(name)") : .all(answers)
    }

    /// Whether this machine has any encryption layer.
    var hasLayers: Bool {
        ((try? machine.names(in: "/sys/class/block")) ?? []).contains { name in
            let uuid = machine.attribute("/sys/class/block/\(name)/dm/uuid") ?? ""
            return Self.layers.contains { uuid.hasPrefix($0.0) }
        }
    }

    /// The number in the mount table is made up; the members of the pool that the source belongs to count.
    private func btrfs(_ mount: MountTable.Mount, depth: Int) -> Answer {
        guard let members = btrfsMembers(mount) else {
            return kernelName(mount.source) == nil
                ? .unknown("the device \(mount.source) is not in /sys")
                : .unknown("the members of the btrfs on \(mount.source) are not in /sys/fs/btrfs")
        }
        return .all(members.map { answer(name: $0, depth: depth) })
    }

    /// The kernel's names of the devices of a btrfs, sorted; nothing where they cannot be told.
    func btrfsMembers(_ mount: MountTable.Mount) -> [String]? {
        let pools = ((try? machine.names(in: "/sys/fs/btrfs")) ?? [])
            .map { (try? machine.names(in: "/sys/fs/btrfs/\($0)/devices")) ?? [] }.filter { !$0.isEmpty }
        if let name = kernelName(mount.source) { return pools.first { $0.contains(name) } }
        // Mounted by the kernel itself, as /dev/root: it is the one that no other mount names.
        let others = mounts.mounts.filter { $0.type == "btrfs" && $0.number != mount.number }
            .compactMap { kernelName($0.source) }
        let left = pools.filter { $0.allSatisfy { !others.contains($0) } }
        return left.count == 1 ? left.first : nil
    }

    /// May also encrypt by itself, which only its own tools on the raw device can tell.
    private func bcachefs(_ mount: MountTable.Mount, depth: Int) -> Answer {
        let answer = Answer.all(
            mount.source.split(separator: ":").map { member in
                kernelName(String(member)).map { self.answer(name: $0, depth: depth) }
                    ?? .unknown("the device \(member) is not in /sys")
            })
        return answer.encrypted == true ? answer : .unknown("whether bcachefs itself encrypts cannot be seen")
    }

    // MARK: - Devices

    /// The answer for a device by its path under /dev.
    func answer(path: String) -> Answer {
        answer(path: path, depth: 0)
    }

    private func answer(path: String, depth: Int) -> Answer {
        kernelName(path).map { answer(name: $0, depth: depth) }
            ?? .unknown("the device \(path) is not in /sys")
    }

    private func answer(number: String, depth: Int) -> Answer {
        guard let directory = directory(number: number) else {
            return .unknown("the device \(number) is not in /sys")
        }
        return walk(directory, depth: depth)
    }

    private func answer(name: String, depth: Int) -> Answer {
        guard let directory = directory(name: name) else {
            return .unknown("the device \(name) is not in /sys")
        }
        return walk(directory, depth: depth)
    }

    func directory(number: String) -> String? {
        machine.realPath("/sys/dev/block/\(number)")
    }

    func directory(name: String) -> String? {
        machine.realPath("/sys/class/block/\(name)") ?? machine.realPath("/sys/block/\(name)")
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
        // A loop device may lie on the file system that it holds.
        guard depth < 32 else { return .unknown("devices are stacked in a circle, or more than 32 deep") }
        let name = String(directory.split(separator: "/").last ?? "")
        if let uuid = machine.attribute(directory + "/dm/uuid"),
            let layer = Self.layers.first(where: { uuid.hasPrefix($0.0) }),
            !hollow.contains(machine.attribute(directory + "/dm/name") ?? "")
        {
            return Answer(encrypted: true, layers: [layer.1])
        }
        if name.hasPrefix("zd"), name.dropFirst(2).allSatisfy({ $0.isNumber || $0 == "p" }) {
            return volume(name, depth: depth + 1)
        }
        let below: [String]
        do {
            below = try machine.names(in: directory + "/slaves")
        } catch {
            return .unknown("\(error)")
        }
        if !below.isEmpty {
            let answer = Answer.all(
                below.map { name in
                    guard let next = machine.realPath("\(directory)/slaves/\(name)") else {
                        return .unknown("the device \(name) is not in /sys")
                    }
                    return walk(next, depth: depth + 1)
                })
            return caches(of: directory).reduce(answer) { $0.and(walk($1, depth: depth + 1)) }
        }
        // A partition is written through to the device that it is a part of.
        if machine.exists(directory + "/partition"), let slash = directory.lastIndex(of: "/") {
            return walk(String(directory[..<slash]), depth: depth + 1)
        }
        // A loop device is a file on some mounted file system.
        if let path = machine.attribute(directory + "/loop/backing_file") {
            return file(path, depth: depth + 1)
        }
        return Answer(encrypted: false)
    }

    /// The answer for what is written to a file.
    func file(_ path: String) -> Answer {
        file(path, depth: 0)
    }

    private func file(_ path: String, depth: Int) -> Answer {
        guard depth < 32 else { return .unknown("devices are stacked in a circle, or more than 32 deep") }
        guard let mount = mounts.mount(holding: path), mount.number != "0:0" else {
            return .unknown("the file system that holds \(path) is not mounted here")
        }
        return answer(for: mount, depth: depth + 1)
    }

    /// The cache devices of a bcache: `bcache` leads to its backing device's, whose `cache` leads to the set.
    private func caches(of directory: String) -> [String] {
        guard let set = machine.realPath(directory + "/bcache/cache") else { return [] }
        return ((try? machine.names(in: set)) ?? []).compactMap { name in
            guard name.hasPrefix("cache"), name.dropFirst(5).allSatisfy(\.isNumber), name.count > 5,
                let cache = machine.realPath("\(set)/\(name)"), let slash = cache.lastIndex(of: "/")
            else { return nil }
            return String(cache[..<slash])
        }
    }

    /// A volume of a ZFS pool, which is a dataset like others.
    private func volume(_ name: String, depth: Int) -> Answer {
        let device = name.prefix { $0 != "p" }
        if let dataset = dataset(of: String(device), in: "/dev/zvol", depth: 0) {
            return zfs(dataset: dataset, depth: depth)
        }
        // Without udev nothing tells which one it is. They inherit from the datasets above them.
        let datasets = mounts.mounts.filter { $0.type == "zfs" }
        return datasets.isEmpty
            ? .unknown("which ZFS volume \(name) is cannot be told")
            : .all(datasets.map { zfs(dataset: $0.source, depth: depth) })
    }

    private func dataset(of device: String, in directory: String, depth: Int) -> String? {
        guard depth < 16 else { return nil }
        for name in (try? machine.names(in: directory)) ?? [] {
            let path = "\(directory)/\(name)"
            guard machine.linkTarget(path) != nil else {
                if let found = dataset(of: device, in: path, depth: depth + 1) { return found }
                continue
            }
            if machine.realPath(path)?.hasSuffix("/\(device)") == true {
                return String(path.dropFirst("/dev/zvol/".count))
            }
        }
        return nil
    }
}
