import PDDocument

/// `usb`: what keeps strange devices out: USBGuard, the kernel's own switch, storage by USB, Thunderbolt.
///
/// The devices that are plugged in are not listed: they come and go.
struct USBCollector: Collector {
    let name = "usb"

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let processes = try RunningProcess.all(machine)
        var result = DocumentWriter()
        result.append(
            "usbguard",
            .string(
                processes.contains { $0.isProgram("usbguard-daemon") }
                    ? "running"
                    : machine.exists("/etc/usbguard/usbguard-daemon.conf") ? "stopped" : "not_installed"))
        let devices = "/sys/bus/usb/devices"
        let hubs = try machine.names(in: devices).filter { $0.hasPrefix("usb") }
        let authorized = hubs.compactMap { machine.attribute("\(devices)/\($0)/authorized_default") }
        // 0: none, 1: all, 2: those inside the machine; -1 is the driver's own choice, which is all but for wireless.
        result.append(
            "new_devices",
            .string(
                hubs.isEmpty
                    ? "no_usb"
                    : authorized.count < hubs.count
                        ? "unknown"
                        : authorized.allSatisfy { $0 == "0" }
                            ? "refused"
                            : authorized.allSatisfy { $0 == "0" || $0 == "2" } ? "inside_only" : "accepted"))
        var blocked: Set<String> = []
        for directory in ["/etc/modprobe.d", "/run/modprobe.d", "/usr/lib/modprobe.d"] {
            for file in try machine.names(in: directory) where file.hasSuffix(".conf") {
                blocked.formUnion(Self.blockedModules(machine.textOrEmpty("\(directory)/\(file)")))
            }
        }
        let isBlocked = blocked.contains("usb_storage") && !machine.exists("/sys/module/usb_storage")
        result.append("storage", .string(isBlocked ? "blocked" : "allowed"))
        let domain = "/sys/bus/thunderbolt/devices"
        let levels = try machine.names(in: domain).compactMap {
            machine.attribute("\(domain)/\($0)/security")
        }
        if !levels.isEmpty { result.append("thunderbolt", Set(levels).sorted()) }
        return .document(result.finish())
    }

    /// The modules that modprobe.d(5) keeps from being loaded: `install NAME /bin/false`. `blacklist` keeps only the
    /// kernel from loading it by itself, which is what happens when a stick is plugged in.
    static func blockedModules(_ text: String) -> Set<String> {
        var names: Set<String> = []
        for line in text.split(whereSeparator: \.isNewline) {
            let words = line.split(whereSeparator: \.isWhitespace)
            guard words.count >= 2 else { continue }
            let name = String(words[1].map { $0 == "-" ? "_" : $0 })
            if words[0] == "blacklist" { names.insert(name) }
            if words[0] == "install", words.count > 2,
                ["/bin/false", "/bin/true", "/usr/bin/false", "/usr/bin/true"].contains(words[2])
            {
                names.insert(name)
            }
        }
        return names
    }
}
