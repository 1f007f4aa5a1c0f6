import PDDocument

/// `network_devices`: the network devices with their addresses.
///
/// Left out because they change by themselves or say nothing about this machine: loopback, the ends of container links
/// (`veth…`, which are the ends of a pair and no device), IPv6 addresses that are temporary (RFC 8981), deprecated or not yet confirmed, and all counters.
struct NetworkDevicesCollector: Collector {
    let name = "network_devices"

    private static let directory = "/sys/class/net"
    /// `ARPHRD_LOOPBACK` of linux/if_arp.h.
    private static let loopbackType = "772"
    /// `IFA_F_TEMPORARY`, `IFA_F_DADFAILED`, `IFA_F_DEPRECATED` and `IFA_F_TENTATIVE` of linux/if_addr.h.
    private static let passingFlags: UInt8 = 0x01 | 0x08 | 0x20 | 0x40

    func collect(_ context: CollectorContext) throws -> Value {
        let machine = context.machine
        let ipv4 = try machine.ipv4Addresses()
        let ipv6 = try Self.ipv6Addresses(machine)
        var devices: [Value] = []
        for name in try machine.names(in: Self.directory) {
            let path = "\(Self.directory)/\(name)"
            if Self.isContainerLink(name, path, machine) { continue }
            guard let type = machine.attribute(path + "/type"), type != Self.loopbackType else { continue }
            var device = DocumentWriter()
            device.append("name", .string(name))
            device.append("type", .string(Self.kind(path, machine)))
            let mac = machine.attribute(path + "/address") ?? ""
            device.append("mac", mac.isEmpty ? .null : .string(mac))
            device.append("state", ifPresent: machine.attribute(path + "/operstate"))
            let own = (ipv4 + ipv6).filter { $0.belongs(to: name) }.map(\.address)
            device.append("addresses", .array(Set(own).sorted().map(Value.string)))
            devices.append(.document(device.finish()))
        }
        return .array(devices)
    }

    /// One end of a pair whose other end has a number of its own. A device may be called so as well: it has a driver, or is
    /// its own link.
    private static func isContainerLink(_ name: String, _ path: String, _ machine: Machine) -> Bool {
        guard name.hasPrefix("veth"), !machine.exists(path + "/device") else { return false }
        let link = machine.attribute(path + "/iflink")
        return link == nil || link != machine.attribute(path + "/ifindex")
    }

    private static func kind(_ path: String, _ machine: Machine) -> String {
        if machine.exists(path + "/wireless") || machine.exists(path + "/phy80211") { return "wifi" }
        if machine.exists(path + "/bridge") { return "bridge" }
        if machine.exists(path + "/bonding") { return "bond" }
        if machine.exists(path + "/tun_flags") { return "tunnel" }
        return machine.exists(path + "/device") ? "wired" : "virtual"
    }

    /// Reads `/proc/net/if_inet6`: address, device number, prefix length, scope, flags (all hexadecimal), device.
    private static func ipv6Addresses(_ machine: Machine) throws -> [Machine.Address] {
        // Without IPv6 the file is missing.
        let text = try machine.networkTable("if_inet6") ?? ""
        return text.split(separator: "\n").compactMap { line in
            let fields = line.split(separator: " ")
            guard fields.count == 6, let prefix = UInt8(fields[2], radix: 16),
                // Newer kernels have more flags than the eight bits of this column.
                let flags = UInt32(fields[4], radix: 16),
                UInt8(truncatingIfNeeded: flags) & passingFlags == 0,
                let address = InternetAddress.ipv6Text(hexadecimal: fields[0])
            else { return nil }
            return Machine.Address(device: String(fields[5]), address: "\(address)/\(prefix)")
        }
    }
}

extension Machine.Address {
    /// Whether it is an address of that device: one with a label is listed as `wlan0:1`.
    func belongs(to name: String) -> Bool {
        device == name || device.hasPrefix(name + ":")
    }
}
