import PDDocument

/// Reads the statements of one rule of `nft -j` (libnftables-json(5), nft(8)).
struct NftablesRule {
    private typealias Condition = PacketFilter.Condition

    let family: AddressFamily
    /// Family and name of the table.
    let place: String
    /// The elements of a named set or map of the table.
    let named: (String) -> [Value]?
    /// Whether the elements of named sets were left out.
    let isTerse: () -> Bool

    /// Nothing for a rule that only counts, logs or marks; more than one for a map of verdicts.
    func rules(_ statements: [Value]) -> [PacketFilter.Rule] {
        var conditions: [Condition] = []
        var rules: [PacketFilter.Rule] = []
        for statement in statements {
            guard let (kind, body) = statement.document?.first else { continue }
            switch kind {
            case "counter", "log", "comment", "mangle", "notrack", "last", "flow", "dup", "secmark",
                "ct helper",
                "ct timeout", "ct expectation", "flowtable", "queue_flags":
                continue
            case "match": conditions.append(match(body.document ?? [:]))
            case "vmap": rules += verdicts(body.document ?? [:], conditions)
            // Adds to a set what the packet has, where it has that.
            case "set", "map": conditions += implied(body.document?["elem"])
            case "meter": conditions.append(.always(.permissive))
            case "limit": conditions.append(.always(isInverse(body) ? .narrow : .permissive))
            case "quota":
                // Over nothing is always.
                let isNothing = body.document?["val"]?.integer == 0
                conditions.append(.always(isInverse(body) && isNothing ? .yes : .permissive))
            case "ct count": conditions.append(.always(isInverse(body) ? .narrow : .permissive))
            case "reject": rules.append(.init(conditions: conditions + refused(body), action: .drop))
            case "dnat":
                rules.append(.init(conditions: conditions, action: .translate(to: target(body))))
            case "snat", "masquerade", "redirect", "tproxy": continue
            case "fwd": rules.append(.init(conditions: conditions, action: .drop))
            // Extensions of iptables, of which no more is told than their names.
            case "xt" where body.document?["type"]?.string == "target":
                switch body.document?["name"]?.string {
                case "REJECT", "DROP": rules.append(.init(conditions: conditions, action: .drop))
                case "DNAT":
                    rules.append(.init(conditions: conditions, action: .translate(to: "another machine")))
                default: continue
                }
            case "xt" where body.document?["name"]?.string == "comment": continue
            default:
                if let action = action(statement) {
                    rules.append(.init(conditions: conditions, action: action))
                } else {
                    conditions.append(.always(.narrow))
                }
            }
        }
        return rules
    }

    private func isInverse(_ body: Value) -> Bool { body.document?["inv"]?.bool == true }

    private func action(_ verdict: Value) -> PacketFilter.Action? {
        guard let (kind, body) = verdict.document?.first else { return nil }
        let target = "\(place) \(body.document?["target"]?.string ?? "")"
        return switch kind {
        // Whether a program lets a packet in is not for the rules to say, nor whether it runs.
        case "accept", "queue", "synproxy": .accept
        case "drop": .drop
        case "return": .backToCaller
        case "jump": .jump(target)
        case "goto": .goTo(target)
        default: nil
        }
    }

    /// An answer by a protocol is for packets of that protocol alone.
    private func refused(_ body: Value) -> [Condition] {
        switch body.document?["type"]?.string {
        case "tcp reset": [.transport(["tcp"])]
        case "icmp": [.family([.ipv4])]
        case "icmpv6": [.family([.ipv6])]
        default: []
        }
    }

    private func target(_ body: Value) -> String {
        let object = body.document
        let address = object?["addr"]?.string ?? "another machine"
        guard let port = object?["port"].map({ Nftables.strings($0).sorted().joined(separator: "-") }) else {
            return address
        }
        return "\(address):\(port)"
    }

    // MARK: - Maps of verdicts

    private func verdicts(_ vmap: Document, _ conditions: [Condition]) -> [PacketFilter.Rule] {
        var last: PacketFilter.Rule?
        var rules: [PacketFilter.Rule] = []
        for element in elements(vmap["data"]) ?? [] {
            guard let pair = element.array, pair.count == 2, let action = action(pair[1]) else { continue }
            let key = unwrapped(pair[0])
            if key.string == "*" {
                last = .init(conditions: conditions, action: action)
                continue
            }
            let met = condition(vmap["key"] ?? .null, key)
            rules.append(.init(conditions: conditions + [met], action: action))
        }
        // Whatever order they stand in: the rest is for what no other element fits.
        return rules + (last.map { [$0] } ?? [])
    }

    /// The elements of an anonymous set or map, or of a named one; nothing where they were left out.
    private func elements(_ value: Value?) -> [Value]? {
        if let name = value?.string, name.hasPrefix("@") {
            return named(String(name.dropFirst())) ?? (isTerse() ? nil : [])
        }
        return value?.document?["set"]?.array ?? value?.array
    }

    /// An element without what stands beside it: its comment, its time.
    private func unwrapped(_ value: Value) -> Value {
        value.document?["elem"]?.document?["val"] ?? value
    }

    // MARK: - Conditions

    private func match(_ match: Document) -> Condition {
        let left = match["left"] ?? .null
        let right = match["right"] ?? .null
        let condition: Condition
        if let name = right.string, name.hasPrefix("@") {
            condition = elements(right).map { self.condition(left, anyOf: $0) } ?? .always(.narrow)
        } else if let set = right.document?["set"] {
            condition = self.condition(left, anyOf: set.array ?? [set])
        } else if let list = right.array {
            condition = self.condition(left, anyOf: list)
        } else {
            condition = self.condition(left, right)
        }
        switch match["op"]?.string {
        case "==", "in", nil: return condition
        case "!=":
            // What does not have the field does not fit either way.
            return .all(implied(left) + [.not(condition)])
        case let comparison?: return compared(left, comparison, right)
        }
    }

    private func condition(_ left: Value, anyOf elements: [Value]) -> Condition {
        if elements.contains(where: { unwrapped($0).string == "*" }) { return .all(implied(left)) }
        // Together, so that long lists of addresses and ports are one condition.
        if let field = addressField(left) {
            let sets = elements.map { addresses(unwrapped($0)) }
            guard sets.allSatisfy({ $0 != nil }) else { return .always(.narrow) }
            let union = AddressSet(ranges: sets.compactMap { $0 }.flatMap(\.ranges))
            return .all(implied(left) + [field == "saddr" ? .source(union) : .destination(union)])
        }
        if let field = portField(left) {
            let ports = PortSet(elements.compactMap { range(unwrapped($0)) })
            return .all(implied(left) + [field == "dport" ? .destinationPorts(ports) : .sourcePorts(ports)])
        }
        if let flags = left.document, flags["&"] != nil || flags["|"] != nil || isFlags(left) {
            return .any(elements.map { condition(left, unwrapped($0)) })
        }
        return .any(elements.map { condition(left, unwrapped($0)) })
    }

    private func condition(_ left: Value, _ right: Value) -> Condition {
        guard let (kind, body) = left.document?.first else { return .always(.narrow) }
        switch kind {
        case "concat":
            let fields = body.array ?? []
            let values = right.document?["concat"]?.array ?? []
            guard fields.count == values.count else { return .always(.narrow) }
            return .all(zip(fields, values).map { condition($0, unwrapped($1)) })
        case "meta": return meta(body.document?["key"]?.string ?? body.string ?? "", right)
        case "ct": return tracking(body.document ?? [:], right)
        case "fib": return fib(body.document ?? [:], right)
        case "payload": return .all(implied(left) + [payload(body.document ?? [:], left, right)])
        case "&": return masked(body.array ?? [], right)
        case "numgen", "jhash", "symhash", "osf": return .always(.permissive)
        default: return .always(.narrow)
        }
    }

    /// What a field asks of the packet that is to have it.
    private func implied(_ left: Value?) -> [Condition] {
        guard let document = left?.document else { return [] }
        if let payload = document["payload"]?.document {
            switch payload["protocol"]?.string {
            case "ip": return [.family([.ipv4])]
            case "ip6": return [.family([.ipv6])]
            case let name?
            where ["tcp", "udp", "udplite", "sctp", "dccp", "icmp", "icmpv6", "igmp", "ah", "esp", "comp"]
                .contains(name):
                return [.transport([name])]
            default: return []
            }
        }
        if let inner = document["elem"]?.document?["val"] { return implied(inner) }
        if let parts = document["concat"]?.array ?? document["&"]?.array { return parts.flatMap(implied) }
        return []
    }

    private func names(_ right: Value) -> [String] {
        Nftables.strings(right).sorted()
    }

    private func meta(_ key: String, _ right: Value) -> Condition {
        let names = names(right)
        switch key {
        case "iif", "iifname", "iiface": return .interface(names)
        // On the way in there is no interface to go out by.
        case "oif", "oifname": return .always(.no)
        case "nfproto", "protocol":
            return .family(
                Set(
                    names.flatMap { name -> [AddressFamily] in
                        ["ip", "ipv4", "2"].contains(name)
                            ? [.ipv4] : ["ip6", "ipv6", "10"].contains(name) ? [.ipv6] : []
                    }))
        case "l4proto": return .transport(Set(names.map(Self.transport)))
        case "pkttype": return .always(names.contains("host") || names.contains("unicast") ? .yes : .no)
        case "iiftype": return .always(names.contains("ether") ? .yes : .no)
        case "hour", "day", "time", "random": return .always(.permissive)
        case "mark": return .always(names == ["0"] ? .permissive : .narrow)
        case "length": return .always(isAll(right, upTo: 65_535) ? .yes : .narrow)
        default: return .always(.narrow)
        }
    }

    private func tracking(_ ct: Document, _ right: Value) -> Condition {
        let names = Set(names(right))
        switch ct["key"]?.string {
        case "state": return .always(names.contains("new") ? .yes : .no)
        case "direction": return .always(names.contains("original") ? .yes : .no)
        case "status": return .always(.no)
        case "mark", "zone", "label", "id": return .always(names == ["0"] ? .permissive : .narrow)
        case "saddr" where ct["dir"]?.string != "reply", "ip saddr", "ip6 saddr":
            return addresses(right).map(Condition.source) ?? .always(.narrow)
        case "daddr" where ct["dir"]?.string != "reply", "ip daddr", "ip6 daddr":
            return addresses(right).map(Condition.destination) ?? .always(.narrow)
        case "proto-dst": return range(right).map { .destinationPorts(PortSet($0)) } ?? .always(.narrow)
        case "protocol": return .transport(Set(names.map(Self.transport)))
        case "l3proto": return meta("nfproto", right)
        default: return .always(.narrow)
        }
    }

    private func fib(_ fib: Document, _ right: Value) -> Condition {
        let flags = Nftables.strings(fib["flags"])
        let names = names(right)
        switch fib["result"]?.string {
        case "type":
            return .always(names.contains(flags.contains("daddr") ? "local" : "unicast") ? .yes : .no)
        // Whether there is a way back: there is.
        case "oif", "oifname":
            switch right {
            case .bool(let exists): return .always(exists ? .yes : .no)
            default: return .always(names == ["0"] ? .no : .narrow)
            }
        default: return .always(.narrow)
        }
    }

    private func payload(_ payload: Document, _ left: Value, _ right: Value) -> Condition {
        if let field = addressField(left) {
            guard let set = addresses(right) else { return .always(.narrow) }
            return field == "saddr" ? .source(set) : .destination(set)
        }
        if let field = portField(left) {
            guard let range = range(right) else { return .always(.narrow) }
            return field == "dport" ? .destinationPorts(PortSet(range)) : .sourcePorts(PortSet(range))
        }
        if isFlags(left) { return .always(Nftables.strings(right).contains("syn") ? .yes : .no) }
        switch (payload["protocol"]?.string, payload["field"]?.string) {
        case ("ip", "protocol"), ("ip6", "nexthdr"): return .transport(Set(names(right).map(Self.transport)))
        case ("ether", "type"): return meta("protocol", right)
        case ("ip", "version"): return .always(names(right) == ["4"] ? .yes : .no)
        case ("ip6", "version"): return .always(names(right) == ["6"] ? .yes : .no)
        case ("ip", "ttl"), ("ip6", "hoplimit"): return .always(isAll(right, upTo: 255) ? .yes : .narrow)
        default: return .always(isAll(right, upTo: 65_535) ? .yes : .narrow)
        }
    }

    /// A field of which some bits count.
    private func masked(_ parts: [Value], _ right: Value) -> Condition {
        guard parts.count == 2 else { return .always(.narrow) }
        let left = parts[0]
        if isFlags(left) {
            // Of a packet that has SYN alone.
            let seen = Nftables.strings(parts[1]).intersection(["syn"])
            let wanted = Nftables.strings(right).subtracting(["0"])
            return .all(implied(left) + [.always(seen == wanted ? .yes : .no)])
        }
        if let field = addressField(left), let mask = parts[1].string.flatMap(family.number),
            let address = right.string.flatMap(family.number),
            let set = AddressSet(address: address, mask: mask, family)
        {
            return .all(implied(left) + [field == "saddr" ? .source(set) : .destination(set)])
        }
        return .always(.narrow)
    }

    private func compared(_ left: Value, _ comparison: String, _ right: Value) -> Condition {
        guard let limit = right.integer, let field = portField(left), field == "dport" else {
            return .always(.narrow)
        }
        let ports: [ClosedRange<Int>] =
            switch comparison {
            case "<" where limit > 0: [0...min(limit - 1, 65_535)]
            case "<=": [0...max(0, min(limit, 65_535))]
            case ">" where limit < 65_535: [(max(limit, -1) + 1)...65_535]
            case ">=" where limit <= 65_535: [max(limit, 0)...65_535]
            default: []
            }
        return .all(implied(left) + [.destinationPorts(PortSet(ports))])
    }

    // MARK: - Fields and values

    private func field(_ left: Value) -> (protocol: String, field: String)? {
        guard let payload = left.document?["payload"]?.document, let name = payload["protocol"]?.string,
            let field = payload["field"]?.string
        else { return nil }
        return (name, field)
    }

    private func addressField(_ left: Value) -> String? {
        guard let (name, field) = field(left), ["ip", "ip6"].contains(name),
            ["saddr", "daddr"].contains(field)
        else {
            return nil
        }
        // A condition on the other family's addresses is met by none of ours, whatever they are.
        return field
    }

    private func portField(_ left: Value) -> String? {
        guard let (name, field) = field(left),
            ["tcp", "udp", "th", "udplite", "sctp", "dccp"].contains(name),
            ["sport", "dport"].contains(field)
        else { return nil }
        return field
    }

    private func isFlags(_ left: Value) -> Bool {
        field(left).map { $0 == ("tcp", "flags") } ?? false
    }

    private func addresses(_ value: Value) -> AddressSet? {
        if let text = value.string {
            return AddressSet(text, family) ?? (isOfOtherFamily(text) ? AddressSet(ranges: []) : nil)
        }
        if let prefix = value.document?["prefix"]?.document, let address = prefix["addr"]?.string,
            let length = prefix["len"]?.integer
        {
            return addresses(.string("\(address)/\(length)"))
        }
        if let ends = value.document?["range"]?.array, ends.count == 2, let first = ends[0].string,
            let last = ends[1].string
        {
            return addresses(.string("\(first)-\(last)"))
        }
        if let set = value.document?["set"]?.array ?? value.array {
            let sets = set.map { addresses(unwrapped($0)) }
            return sets.allSatisfy { $0 != nil }
                ? AddressSet(ranges: sets.compactMap { $0 }.flatMap(\.ranges)) : nil
        }
        return nil
    }

    private func isOfOtherFamily(_ text: String) -> Bool {
        AddressSet(text, family == .ipv4 ? .ipv6 : .ipv4) != nil
    }

    private func range(_ value: Value) -> ClosedRange<Int>? {
        if let number = value.integer, (0...65_535).contains(number) { return number...number }
        guard let ends = value.document?["range"]?.array, ends.count == 2, let first = ends[0].integer,
            let last = ends[1].integer, 0 <= first, first <= last, last <= 65_535
        else { return nil }
        return first...last
    }

    private func isAll(_ value: Value, upTo last: Int) -> Bool {
        guard let range = range(value) else { return false }
        return range.lowerBound <= 1 && range.upperBound >= last
    }

    private static func transport(_ name: String) -> String {
        ["6": "tcp", "17": "udp"][name] ?? name
    }
}
