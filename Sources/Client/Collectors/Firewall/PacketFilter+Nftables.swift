import PDDocument

extension PacketFilter {
    /// The filters for IPv4 and IPv6 in the answer of `nft -j list ruleset` (libnftables-json(5)).
    ///
    /// - Throws: ``JSONError`` where it is not JSON.
    static func nftables(_ json: [UInt8]) throws(JSONError) -> (ipv4: PacketFilter, ipv6: PacketFilter) {
        let ruleset = try NftablesRuleset(json)
        return (ruleset.filter(.ipv4), ruleset.filter(.ipv6))
    }
}
