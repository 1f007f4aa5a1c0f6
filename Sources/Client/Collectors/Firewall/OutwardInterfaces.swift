/// The network interfaces at which strangers' packets come in.
struct OutwardInterfaces {
    /// One that no rule names.
    static let other = "other0"

    /// Those that are there, in the order of their names, and those that rules name and that would face outside.
    let names: [String]

    init(_ machine: Machine, named: Set<String>) {
        let directory = "/sys/class/net"
        let present = (try? machine.names(in: directory)) ?? []
        let routes = Self.defaultRoutes(machine)
        let outward = present.filter { name in
            name != "lo"
                && (machine.exists("\(directory)/\(name)/device")
                    || machine.exists("\(directory)/\(name)/wireless")
                    || routes.contains(name) && !Self.isTunnel(name, machine) || Self.isOutward(name))
        }
        // A dock or a stick may bring one back that is not there now.
        names = Set(outward + named.filter { Self.isOutward($0) && $0.last != "*" } + [Self.other]).sorted()
    }

    /// By the names that systemd, the kernel and distributions give to cards: wired, wireless and mobile ones.
    private static func isOutward(_ name: String) -> Bool {
        ["wl", "en", "eth", "ww", "usb"].contains { name.hasPrefix($0) } && name.contains(where: \.isNumber)
    }

    private static func isTunnel(_ name: String, _ machine: Machine) -> Bool {
        machine.exists("/sys/class/net/\(name)/tun_flags")
            || ["wg", "tun", "tap", "tailscale", "zt", "ppp", "nordlynx"].contains { name.hasPrefix($0) }
    }

    /// The interfaces by which the Internet is reached, by `/proc/net/route`.
    private static func defaultRoutes(_ machine: Machine) -> Set<String> {
        let lines = ((try? machine.networkTable("route")) ?? "").split(separator: "\n").dropFirst()
        return Set(
            lines.compactMap { line in
                let fields = line.split(whereSeparator: \.isWhitespace)
                return fields.count > 7 && fields[1] == "00000000" && fields[7] == "00000000"
                    ? String(fields[0]) : nil
            })
    }
}
