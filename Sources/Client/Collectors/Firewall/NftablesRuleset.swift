import PDDocument

/// What `nft -j list ruleset` tells.
struct NftablesRuleset {
    /// A table by its family and name.
    struct Table: Hashable {
        let family: String
        let name: String
    }

    private let items: [(kind: String, object: Document)]
    /// Tables whose rules the kernel keeps and does not apply.
    private(set) var dormant: Set<Table> = []
    /// Tables with a flag that has no meaning: nft 1.0.6 writes the table's name in place of the flag's.
    private(set) var oddlyFlagged: Set<Table> = []
    /// Tables with extensions of iptables, of which nft tells no more than the name.
    private(set) var foreign: Set<Table> = []
    /// A chain by its table and name.
    struct Chain: Hashable {
        let table: Table
        let name: String
    }

    /// Chains at devices of which it is not told at which: nft 1.0.6 leaves that out.
    private(set) var withoutDevices: Set<Chain> = []
    /// The devices of such chains, from elsewhere.
    var devices: [Chain: Set<String>] = [:]
    /// Whether there is a chain that incoming packets may have to pass.
    private(set) var guardsInput = false
    /// Elements of named sets and maps.
    private var elements: [String: [Value]] = [:]
    /// Whether elements of named sets were left out.
    private let isTerse: Bool

    /// - Parameter isTerse: whether elements of named sets were left out.
    /// - Throws: ``JSONError`` where it is not JSON.
    init(_ json: [UInt8], isTerse: Bool = false) throws(JSONError) {
        self.isTerse = isTerse
        // What people write into comments and prefixes comes as it is, in whatever encoding.
        let text = String(decoding: json.map { $0 < 0x20 ? 0x20 : $0 }, as: UTF8.self)
        items = (try Document(json: Array(text.utf8))["nftables"]?.array ?? []).compactMap { item in
            guard let (kind, body) = item.document?.first, let object = body.document else { return nil }
            return (kind, object)
        }
        for (kind, object) in items {
            guard let table = Self.table(kind, object) else { continue }
            switch kind {
            case "table":
                let flags = Nftables.strings(object["flags"])
                if flags.contains("dormant") {
                    dormant.insert(table)
                } else if !flags.isSubset(of: ["owner", "persist"]) {
                    oddlyFlagged.insert(table)
                    dormant.insert(table)
                }
            case "set", "map":
                if let name = object["name"]?.string {
                    elements["\(table.family) \(table.name) \(name)"] = object["elem"]?.array
                }
            case "chain":
                if ["input", "prerouting", "ingress"].contains(object["hook"]?.string),
                    object["type"]?.string == "filter"
                {
                    guardsInput = true
                }
                if object["hook"]?.string == "ingress", let name = object["name"]?.string,
                    Nftables.strings(object["dev"]).isEmpty
                {
                    withoutDevices.insert(Chain(table: table, name: name))
                }
            case "rule":
                let isForeign = (object["expr"]?.array ?? []).contains { statement in
                    guard let xt = statement.document?["xt"] else { return false }
                    return xt.document?["name"]?.string != "comment"
                }
                if isForeign { foreign.insert(table) }
            default: break
            }
        }
    }

    private static func table(_ kind: String, _ object: Document) -> Table? {
        guard let family = object["family"]?.string,
            let name = object[kind == "table" ? "name" : "table"]?.string
        else { return nil }
        return Table(family: family, name: name)
    }

    /// The rules of these tables are applied after all.
    mutating func wake(_ tables: Set<Table>) {
        dormant.subtract(tables)
    }

    /// The filter for one family.
    ///
    /// - Parameter excluded: tables that something else tells about.
    func filter(_ family: AddressFamily, without excluded: Set<Table> = []) -> PacketFilter {
        var filter = PacketFilter()
        for (kind, object) in items {
            guard let table = Self.table(kind, object), !dormant.contains(table), !excluded.contains(table),
                [family == .ipv4 ? "ip" : "ip6", "inet", "netdev", "bridge"].contains(table.family)
            else { continue }
            let place = "\(table.family) \(table.name)"
            switch kind {
            case "chain":
                let chain = object["name"]?.string.map { Chain(table: table, name: $0) }
                Self.add(object, place, devices: chain.flatMap { devices[$0] } ?? [], to: &filter)
            case "rule":
                guard let chain = object["chain"]?.string else { continue }
                let reader = NftablesRule(family: family, place: place) {
                    elements["\(place) \($0)"]
                } isTerse: {
                    isTerse
                }
                filter.chains["\(place) \(chain)", default: .init()].rules +=
                    reader.rules(object["expr"]?.array ?? [])
            default: continue
            }
        }
        return filter
    }

    private static func add(
        _ object: Document, _ place: String, devices: Set<String>, to filter: inout PacketFilter
    ) {
        guard let name = object["name"]?.string else { return }
        let chain = "\(place) \(name)"
        filter.chains[chain, default: .init()].policy = object["policy"]?.string == "drop" ? .drop : .accept
        let isBridge = place.hasPrefix("bridge ")
        switch (object["type"]?.string, object["hook"]?.string) {
        case ("filter", "input"), ("filter", "prerouting"):
            // Frames between the ports of a bridge are not ours.
            if !isBridge { filter.entries.append(chain) }
        case ("filter", "ingress"):
            filter.entries.append(chain)
            filter.entryInterfaces[chain] = Nftables.strings(object["dev"]).union(devices)
        case ("nat", "prerouting"): if !isBridge { filter.translations.append(chain) }
        default: break
        }
    }
}

extension Document {
    /// The first field.
    var first: (key: String, value: Value)? {
        var iterator = makeIterator()
        return iterator.next().map { ($0.key, $0.value) }
    }
}

/// Parts of libnftables-json(5).
enum Nftables {
    /// The names in a value, a list, or an anonymous set.
    static func strings(_ value: Value?) -> Set<String> {
        if let name = value?.string { return [name] }
        if let number = value?.integer { return ["\(number)"] }
        let parts = value?.array ?? value?.document.map { Array($0).map(\.value) } ?? []
        return parts.reduce(into: []) { $0.formUnion(strings($1)) }
    }
}
