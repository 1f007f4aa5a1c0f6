import PDDocument

extension PacketFilter {
    /// The filters for IPv4 and IPv6 in the answer of `nft -j list ruleset` (libnftables-json(5)).
    ///
    /// - Throws: ``JSONError`` where it is not JSON.
    static func nftables(_ json: [UInt8]) throws(JSONError) -> (ipv4: PacketFilter, ipv6: PacketFilter) {
        let items = try Document(json: json)["nftables"]?.array ?? []
        return (filter(items, .ipv4), filter(items, .ipv6))
    }

    /// An address family by the names that tables, `nfproto`, `protocol` and `reject` have for it.
    private struct Family {
        let names: Set<String>
        let others: Set<String>

        static let ipv4 = Family(names: ["ip", "ipv4", "icmp"], others: ["ip6", "ipv6", "icmpv6"])
        static let ipv6 = Family(names: ipv4.others, others: ipv4.names)
    }

    private static func filter(_ items: [Value], _ family: Family) -> PacketFilter {
        var filter = PacketFilter()
        // The kernel keeps the rules of a dormant table, and does not apply them.
        var dormant: Set<String> = []
        for item in items {
            guard let (kind, body) = item.document.flatMap({ Array($0).first }), let object = body.document,
                let name = object["family"]?.string, name == "inet" || family.names.contains(name),
                let table = object[kind == "table" ? "name" : "table"]?.string
            else { continue }
            let place = "\(name) \(table)"
            if kind == "table", strings(object["flags"]).contains("dormant") { dormant.insert(place) }
            if !dormant.contains(place) { filter.take(kind, object, table: place, family) }
        }
        return filter
    }

    private mutating func take(_ kind: String, _ object: Document, table: String, _ family: Family) {
        switch kind {
        case "chain":
            guard let name = object["name"]?.string else { return }
            chains["\(table) \(name)", default: Chain()].policy =
                object["policy"]?.string == "drop" ? .drop : .accept
            if object["hook"]?.string == "input", object["type"]?.string == "filter" {
                entries.append("\(table) \(name)")
            }
        case "rule":
            guard let chain = object["chain"]?.string else { return }
            let rules = Self.rules(object["expr"]?.array ?? [], table: table, family)
            chains["\(table) \(chain)", default: Chain()].rules += rules
        default: return
        }
    }

    /// Nothing for a rule that only counts, logs or marks, and for one that is not about new connections of that
    /// family; more than one for a map of verdicts.
    private static func rules(_ statements: [Value], table: String, _ family: Family) -> [Rule] {
        var isConditional = false
        var rules: [Rule] = []
        for statement in statements {
            guard let (kind, body) = statement.document.flatMap({ Array($0).first }) else { continue }
            switch kind {
            case "counter", "log", "comment", "mangle", "notrack": continue
            case "match":
                switch applies(body.document ?? [:], family) {
                case false?: return []
                case true?: continue
                case nil: isConditional = true
                }
            case "vmap":
                for element in body.document?["data"]?.document?["set"]?.array ?? [] {
                    guard let pair = element.array, pair.count == 2,
                        let action = action(pair[1], table: table)
                    else { continue }
                    let match: Document = [
                        "op": "==", "left": body.document?["key"] ?? .null, "right": pair[0],
                    ]
                    guard let isSure = applies(match, family) else {
                        rules.append(Rule(action: action, isConditional: true))
                        continue
                    }
                    if isSure { rules.append(Rule(action: action, isConditional: isConditional)) }
                }
            case "reject":
                // An answer by a protocol is for packets of that protocol alone.
                let type = body.document?["type"]?.string ?? "icmpx"
                if family.others.contains(type) { return [] }
                let isForAll = type == "icmpx" || family.names.contains(type)
                rules.append(Rule(action: .drop, isConditional: isConditional || !isForAll))
            case "xt" where body.document?["name"]?.string == "comment": continue
            default:
                guard let action = action(statement, table: table) else {
                    isConditional = true
                    continue
                }
                rules.append(Rule(action: action, isConditional: isConditional))
            }
        }
        return rules
    }

    private static func action(_ verdict: Value, table: String) -> Action? {
        guard let (kind, body) = verdict.document.flatMap({ Array($0).first }) else { return nil }
        let target = "\(table) \(body.document?["target"]?.string ?? "")"
        return switch kind {
        // Whether a program lets a packet in is not for the rules to say, nor whether it runs.
        case "accept", "queue": .accept
        case "drop": .drop
        case "return": .backToCaller
        case "jump": .jump(target)
        case "goto": .goTo(target)
        default: nil
        }
    }

    /// Whether a match holds for every new connection of that family, or for none; nothing where that depends on more.
    private static func applies(_ match: Document, _ family: Family) -> Bool? {
        let left = match["left"]?.document
        let wanted = strings(match["right"])
        let isListed: Bool
        if left?["ct"]?.document?["key"]?.string == "state" {
            guard wanted.isSubset(of: ["new", "established", "related", "invalid", "untracked"]) else {
                return nil
            }
            isListed = wanted.contains("new")
        } else if let key = left?["meta"]?.document?["key"]?.string, key == "nfproto" || key == "protocol" {
            guard wanted.isSubset(of: family.names.union(family.others)) else { return nil }
            isListed = !wanted.isDisjoint(with: family.names)
        } else {
            return nil
        }
        guard !wanted.isEmpty else { return nil }
        return switch match["op"]?.string {
        case "==", "in": isListed
        case "!=": !isListed
        default: nil
        }
    }

    /// The names in a value, a list, or an anonymous set.
    private static func strings(_ value: Value?) -> Set<String> {
        if let name = value?.string { return [name] }
        let parts = value?.array ?? value?.document.map { Array($0).map(\.value) } ?? []
        return parts.reduce(into: []) { $0.formUnion(strings($1)) }
    }
}
