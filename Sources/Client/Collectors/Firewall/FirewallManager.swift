/// The program that keeps the rules, and what it is set to.
enum FirewallManager {
    case ufw(Verdict)
    case firewalld(Verdict)
    case none

    var name: String? {
        switch self {
        case .ufw: "ufw"
        case .firewalld: "firewalld"
        case .none: nil
        }
    }

    /// What its settings say, where the kernel's rules cannot be read for that reason.
    func verdicts(reason: String) -> (Verdict, Verdict) {
        switch self {
        case .ufw(.unknown("")): (.unknown(reason), .unknown(reason))
        case .ufw(let both), .firewalld(let both): (both, both)
        case .none: (.unknown(reason), .unknown(reason))
        }
    }

    static func find(_ machine: Machine) throws -> FirewallManager {
        let units = SystemdUnit.show(["ufw.service", "firewalld.service"], machine)
        if try settings("/etc/ufw/ufw.conf", machine)["ENABLED"]?.lowercased() == "yes" {
            guard let unit = units?["ufw.service"] else {
                // That it is enabled says nothing of whether somebody has started it.
                return .ufw(.unknown(""))
            }
            guard unit.isActive else {
                return .ufw(.unknown("ufw is enabled, but its service is not started"))
            }
            let defaults = try settings("/etc/default/ufw", machine)
            // With IPV6=no it drops all that comes by IPv6.
            return .ufw(defaults["DEFAULT_INPUT_POLICY"]?.uppercased() == "ACCEPT" ? .off : .on)
        }
        if units?["firewalld.service"]?.isActive == true { return .firewalld(firewalld(machine)) }
        return .none
    }

    /// Every zone that firewalld ships keeps out what it was not told to let in, except for `trusted`; others may be told to.
    private static func firewalld(_ machine: Machine) -> Verdict {
        // Denied to all but root on some distributions.
        let standard = (try? settings("/etc/firewalld/firewalld.conf", machine))?["DefaultZone"] ?? "public"
        if standard == "trusted" { return .off }
        let directory = "/etc/firewalld/zones"
        for name in (try? machine.names(in: directory)) ?? [] where name.hasSuffix(".xml") {
            guard let text = try? machine.text("\(directory)/\(name)") else { continue }
            let zone = String(name.dropLast(".xml".count))
            guard zone == "trusted" || text.contains("target=\"ACCEPT\"") else { continue }
            let interfaces = values(of: "interface name=", text)
            let sources = values(of: "source address=", text)
            if zone == standard || interfaces.contains(where: { $0 != "lo" })
                || sources.contains(where: { $0.hasSuffix("/0") || $0.hasSuffix("/1") })
            {
                return .off
            }
        }
        return .on
    }

    /// What stands in quotation marks after a text.
    private static func values(of attribute: String, _ text: String) -> [String] {
        var values: [String] = []
        var rest = text[...]
        while let found = rest.range(of: attribute) {
            rest = rest[found.upperBound...]
            guard let quote = rest.popFirst(), quote == "\"" || quote == "'" else { continue }
            values.append(String(rest.prefix { $0 != quote }))
        }
        return values
    }

    /// Assignments, one a line.
    private static func settings(_ path: String, _ machine: Machine) throws -> [String: String] {
        ShellAssignments.parse(try machine.textIfPresent(path) ?? "")
    }
}

extension Substring {
    /// Where a text stands first.
    fileprivate func range(of text: String) -> Range<Index>? {
        var start = startIndex
        while start < endIndex {
            if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
            start = index(after: start)
        }
        return nil
    }
}
