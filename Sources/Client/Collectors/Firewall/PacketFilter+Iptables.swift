extension PacketFilter {
    /// The filter of one table in the answer of `iptables -S` or `ip6tables -S` (iptables(8), iptables-extensions(8)).
    ///
    /// - Parameter entries: the chains of the table where incoming packets enter.
    static func iptables(
        _ text: String, _ family: AddressFamily = .ipv4, entries: Set<String> = ["INPUT"]
    ) -> PacketFilter {
        var filter = PacketFilter()
        for line in text.split(separator: "\n") {
            let words = words(line)
            guard words.count >= 3 else { continue }
            switch words[0] {
            case "-P":
                filter.chains[words[1], default: Chain()].policy = words[2] == "ACCEPT" ? .accept : .drop
                if entries.contains(words[1]) { filter.entries.append(words[1]) }
            case "-A":
                if let rule = IptablesRule(words.dropFirst(2), family).rule {
                    filter.chains[words[1], default: Chain()].rules.append(rule)
                }
            default: continue
            }
        }
        return filter
    }

    /// The ports that a `nat` table sends on.
    static func iptablesTranslations(_ text: String, _ family: AddressFamily) -> PacketFilter {
        var filter = iptables(text, family, entries: ["PREROUTING"])
        filter.translations = filter.entries
        filter.entries = []
        return filter
    }

    /// Splits at spaces outside of quotation marks, which hold `\"` and `\\`.
    private static func words(_ line: Substring) -> [String] {
        var words: [String] = []
        var word = ""
        var isQuoted = false
        var isEscaped = false
        for character in line {
            if isEscaped {
                word.append(character)
                isEscaped = false
            } else if character == "\\", isQuoted {
                isEscaped = true
            } else if character == "\"" {
                isQuoted.toggle()
            } else if character == " ", !isQuoted {
                words.append(word)
                word = ""
            } else {
                word.append(character)
            }
        }
        return words + [word]
    }
}

/// One rule of `iptables -S`, read option by option.
private struct IptablesRule {
    private typealias Condition = PacketFilter.Condition

    private(set) var rule: PacketFilter.Rule?
    private let family: AddressFamily
    private var conditions: [Condition] = []

    /// Nothing for a rule that only counts, logs or marks.
    init(_ words: ArraySlice<String>, _ family: AddressFamily) {
        self.family = family
        var rest = words
        var isNegated = false
        while let word = rest.popFirst() {
            switch word {
            case "!": isNegated = true
            case "-m": _ = rest.popFirst()
            case "-j", "-g":
                let target = rest.popFirst() ?? ""
                rule = Self.action(target, isGoto: word == "-g", rest)
                    .map { PacketFilter.Rule(conditions: conditions, action: $0) }
                return
            default:
                var values: [String] = []
                let takesOne = Self.textOptions.contains(word)
                while let next = rest.first, takesOne ? values.isEmpty : !next.hasPrefix("-") && next != "!" {
                    values.append(next)
                    rest = rest.dropFirst()
                }
                if let condition = condition(word, values) {
                    conditions.append(isNegated ? .not(condition) : condition)
                }
                isNegated = false
            }
        }
    }

    /// Options with a text that may look like an option.
    private static let textOptions: Set = [
        "--comment", "--string", "--hex-string", "--name", "--hashlimit-name",
    ]

    private static func action(
        _ target: String, isGoto: Bool, _ rest: ArraySlice<String>
    ) -> PacketFilter.Action? {
        switch target {
        // Whether a program lets a packet in is not for the rules to say, nor whether it runs.
        case "ACCEPT", "NFQUEUE", "QUEUE", "SYNPROXY": .accept
        case "DROP", "REJECT", "TARPIT": .drop
        case "RETURN": .backToCaller
        case "DNAT": .translate(to: Self.value(of: "--to-destination", rest))
        case "REDIRECT": nil
        case "LOG", "NFLOG", "ULOG", "MARK", "CONNMARK", "CT", "NOTRACK", "TRACE", "SET", "CHECKSUM",
            "TCPMSS", "TTL",
            "HL", "DSCP", "TOS", "CLASSIFY", "SECMARK", "CONNSECMARK", "AUDIT", "RATEEST", "LED", "TPROXY",
            "TEE",
            "MASQUERADE", "SNAT", "NETMAP":
            nil
        default: isGoto ? .goTo(target) : .jump(target)
        }
    }

    private func condition(_ option: String, _ values: [String]) -> Condition? {
        let value = values.first ?? ""
        switch option {
        case "-i": return .interface([value.hasSuffix("+") ? value.dropLast() + "*" : value])
        // On the way in there is no interface to go out by.
        case "-o": return .always(.no)
        case "-s": return addresses(value).map(Condition.source) ?? .always(.narrow)
        case "-d": return addresses(value).map(Condition.destination) ?? .always(.narrow)
        case "--src-range": return addresses(value).map(Condition.source) ?? .always(.narrow)
        case "--dst-range": return addresses(value).map(Condition.destination) ?? .always(.narrow)
        case "-p": return value == "all" || value == "0" ? nil : .transport([Self.transport(value)])
        case "--dport", "--dports", "--destination-port", "--destination-ports":
            return .destinationPorts(Self.ports(value))
        case "--sport", "--sports", "--source-port", "--source-ports": return .sourcePorts(Self.ports(value))
        // Either of the two.
        case "--ports": return .destinationPorts(Self.ports(value))
        case "--ctstate", "--state":
            return .always(value.split(separator: ",").contains("NEW") ? .yes : .no)
        case "--ctdir": return .always(value == "ORIGINAL" ? .yes : .no)
        case "--ctstatus": return .always(value == "NONE" ? .yes : .no)
        case "--dst-type": return .always(value.split(separator: ",").contains("LOCAL") ? .yes : .no)
        case "--src-type": return .always(value.split(separator: ",").contains("UNICAST") ? .yes : .no)
        case "--limit-iface-in", "--limit-iface-out": return nil
        case "--pkt-type": return .always(value == "unicast" ? .yes : .no)
        case "--tcp-flags":
            return .always(Self.matchesSYN(mask: value, flags: values.count > 1 ? values[1] : ""))
        case "--syn": return .always(.yes)
        case "--icmp-type", "--icmpv6-type": return .always(.no)
        case "-f", "--fragment": return .always(.no)
        case "--limit", "--hashlimit-upto", "--hashlimit", "--quota", "--connlimit-upto", "--probability",
            "--every",
            "--timestart", "--timestop", "--datestart", "--datestop", "--weekdays", "--monthdays":
            return .always(.permissive)
        case "--length": return .always(Self.ports(value) == .all ? .yes : .narrow)
        // What says how another option is meant, or changes nothing.
        case "--comment", "--limit-burst", "--hashlimit-burst", "--hashlimit-mode", "--hashlimit-name",
            "--hashlimit-srcmask", "--hashlimit-dstmask", "--hashlimit-htable-expire", "--connlimit-mask",
            "--connlimit-saddr", "--connlimit-daddr", "--mode", "--packet", "--kerneltz", "--contiguous",
            "--name", "--mask",
            "--rsource", "--rdest", "--set", "--algo", "--from", "--to":
            return nil
        default: return .always(.narrow)
        }
    }

    private static func value(of option: String, _ words: ArraySlice<String>) -> String {
        words.firstIndex(of: option).flatMap { $0 + 1 < words.endIndex ? words[$0 + 1] : nil }
            ?? "another machine"
    }

    private func addresses(_ text: String) -> AddressSet? {
        AddressSet(text, family)
    }

    private static func transport(_ name: String) -> String {
        ["6": "tcp", "17": "udp"][name] ?? name.lowercased()
    }

    private static func ports(_ text: String) -> PortSet {
        PortSet(
            text.split(separator: ",").compactMap { part -> ClosedRange<Int>? in
                let ends = part.split(separator: ":", omittingEmptySubsequences: false)
                let first = ends[0].isEmpty ? 0 : Int(ends[0])
                let last = ends.count == 1 ? first : ends[1].isEmpty ? 65_535 : Int(ends[1])
                guard let first, let last, first <= last, last <= 65_535 else { return nil }
                return first...last
            })
    }

    /// Whether a packet that has SYN alone fits `--tcp-flags MASK FLAGS`.
    private static func matchesSYN(mask: String, flags: String) -> PacketFilter.Truth {
        let mask = Set(mask == "ALL" ? ["SYN"] : mask.split(separator: ",").map(String.init))
        let wanted = Set(flags == "NONE" ? [] : flags.split(separator: ",").map(String.init))
        return mask.intersection(["SYN"]) == wanted ? .yes : .no
    }
}
