/// What `nft -t list ruleset` tells in nft's own language (nft(8)), of that which older versions leave out of their JSON.
struct NftablesText {
    /// Tables whose rules the kernel keeps and does not apply.
    private(set) var dormant: Set<NftablesRuleset.Table> = []
    /// The devices at which chains stand.
    private(set) var devices: [NftablesRuleset.Chain: Set<String>] = [:]

    init(_ text: String) {
        var table: NftablesRuleset.Table?
        var chain: NftablesRuleset.Chain?
        for line in text.split(separator: "\n") {
            let words = line.split { " \t,;={}".contains($0) }.map(String.init)
            switch words.first {
            case "table" where words.count >= 3 && line.first == "t":
                table = .init(family: words[1], name: words[2])
                chain = nil
            case "flags": if words.contains("dormant"), let table { dormant.insert(table) }
            case "chain":
                chain = table.flatMap { table in words.dropFirst().first.map { .init(table: table, name: $0) }
                }
            case "type":
                guard let chain, let start = words.firstIndex(where: { $0 == "device" || $0 == "devices" }),
                    let end = words[start...].firstIndex(of: "priority")
                else { continue }
                devices[chain] = Set(words[start..<end].dropFirst().map { $0.filter { $0 != "\"" } })
            default: continue
            }
        }
    }
}
