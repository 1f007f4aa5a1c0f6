import PDDocument

extension PacketFilter {
    /// The filters for IPv4 and IPv6 in the answer of `nft -j list ruleset` (libnftables-json(5)).
    ///
    /// - Throws: ``JSONError`` where it is not JSON.
    static func nftables(_ json: [UInt8]) throws(JSONError) -> (ipv4: PacketFilter, ipv6: PacketFilter) {
        var ipv4 = PacketFilter()
        var ipv6 = PacketFilter()
        for item in try Document(json: json)["nftables"]?.array ?? [] {
            guard let (kind, body) = item.document.flatMap({ Array($0).first }), let object = body.document,
                let family = object["family"]?.string, let table = object["table"]?.string
            else { continue }
            if family == "ip" || family == "inet" { ipv4.take(kind, object, table: "\(family) \(table)") }
            if family == "ip6" || family == "inet" { ipv6.take(kind, object, table: "\(family) \(table)") }
        }
        return (ipv4, ipv6)
    }

    private mutating func take(_ kind: String, _ object: Document, table: String) {
        switch kind {
        case "chain":
            guard let name = object["name"]?.string else { return }
            chains["\(table) \(name)", default: Chain()].policy =
                object["policy"]?.string == "drop" ? .drop : .accept
            if object["hook"]?.string == "input", object["type"]?.string == "filter" {
                entries.append("\(table) \(name)")
            }
        case "rule":
            guard let chain = object["chain"]?.string, let action = Self.action(object, table: table) else {
                return
            }
            chains["\(table) \(chain)", default: Chain()].rules.append(action)
        default: return
        }
    }

    /// What a rule without any condition does; nothing for one with a condition, and for one that only counts or logs.
    private static func action(_ rule: Document, table: String) -> Action? {
        var action: Action?
        for statement in rule["expr"]?.array ?? [] {
            guard let (kind, body) = statement.document.flatMap({ Array($0).first }) else { return nil }
            switch kind {
            case "counter", "log", "comment": continue
            case "accept": action = .accept
            case "drop", "reject": action = .drop
            case "return": action = .backToCaller
            case "jump", "goto":
                guard let target = body.document?["target"]?.string else { return nil }
                action = kind == "jump" ? .jump("\(table) \(target)") : .goTo("\(table) \(target)")
            default: return nil
            }
        }
        return action
    }
}
