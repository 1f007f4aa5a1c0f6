import PDDocument

/// What strangers meet at a packet filter.
struct FilterJudgement: Equatable {
    /// Ports that are open at some interface to some sources.
    struct Opening: Hashable {
        /// Nothing where it is the same at every interface.
        var interface: String?
        /// Such as `22/tcp`.
        var ports: [String]
        /// Nothing where everybody may come in.
        var sources: [String]?

        /// Whether it says no more than that there is no firewall.
        var isEverything: Bool { interface == nil && sources == nil && ports == ["all/tcp", "all/udp"] }

        var document: Document {
            var result = DocumentWriter()
            result.append("interface", ifPresent: interface)
            result.append("ports", .array(ports.map(Value.string)))
            if let sources { result.append("sources", .array(sources.map(Value.string))) }
            return result.finish()
        }
    }

    /// Whether strangers are kept out at every interface that faces outside.
    private(set) var keepsOut = true
    private(set) var openings: [Opening] = []
    /// What is sent on to other machines, such as containers.
    private(set) var published: [Published] = []

    /// Ports that are sent on.
    struct Published: Hashable, Comparable {
        var interface: String?
        var ports: [String]
        var target: String

        static func < (left: Published, right: Published) -> Bool {
            (left.ports.joined(), left.target, left.interface ?? "") < (
                right.ports.joined(), right.target, right.interface ?? ""
            )
        }

        var document: Document {
            var result = DocumentWriter()
            result.append("interface", ifPresent: interface)
            result.append("ports", .array(ports.map(Value.string)))
            result.append("to", .string(target))
            return result.finish()
        }
    }

    private static let transports = ["tcp", "udp"]

    init(_ filter: PacketFilter, _ family: AddressFamily, interfaces: OutwardInterfaces, own: [UInt128]) {
        let letsIn = { (interface: String, source: UInt128) in
            Self.transports.map {
                filter.letsIn(
                    Stranger(family: family, interface: interface, source: source, transport: $0, own: own))
            }
        }
        let real = interfaces.names.filter { $0 != OutwardInterfaces.other }
        let judged = real.isEmpty ? interfaces.names : real
        var everybody: [String: [PortSet]] = [:]
        for interface in judged {
            let found = family.strangers.map { letsIn(interface, $0) }
            for index in Self.transports.indices {
                let open = found.count { $0[index].isNextToAll }
                if open * 2 >= found.count { keepsOut = false }
            }
            everybody[interface] = Self.transports.indices.map { index in
                found.reduce(PortSet.none) { $0.union($1[index]) }
            }
        }
        openings = Self.grouped(everybody, judged) { ports, interface in
            let texts = Self.texts(ports)
            return texts.isEmpty ? nil : Opening(interface: interface, ports: texts)
        }
        for set in filter.namedSources.prefix(64) {
            guard
                let source = set.ranges.first.map({
                    $0.upperBound > $0.lowerBound ? $0.lowerBound + 1 : $0.lowerBound
                }),
                !Self.isLoopback(source, family)
            else { continue }
            var more: [String: [PortSet]] = [:]
            for interface in judged {
                more[interface] = zip(letsIn(interface, source), everybody[interface] ?? []).map {
                    $0.subtracting($1)
                }
            }
            openings += Self.grouped(more, judged) { ports, interface in
                let texts = Self.texts(ports)
                return texts.isEmpty
                    ? nil : Opening(interface: interface, ports: texts, sources: Self.texts(set, family))
            }
        }
        published = Self.published(filter, family, judged, own)
    }

    private static func isLoopback(_ address: UInt128, _ family: AddressFamily) -> Bool {
        family == .ipv4 ? address >> 24 == 0x7F : address == 1
    }

    /// One entry for all interfaces where they are all the same.
    private static func grouped<Entry>(
        _ found: [String: [PortSet]], _ interfaces: [String], _ entry: ([PortSet], String?) -> Entry?
    ) -> [Entry] {
        if Set(found.values).count == 1, let ports = found.values.first {
            return entry(ports, nil).map { [$0] } ?? []
        }
        return interfaces.compactMap { name in found[name].flatMap { entry($0, name) } }
    }

    private static func texts(_ ports: [PortSet]) -> [String] {
        zip(ports, transports).flatMap { ports, transport in
            ports.isEmpty ? [] : ports.text.split(separator: ", ").map { "\($0)/\(transport)" }
        }
    }

    private static func texts(_ set: AddressSet, _ family: AddressFamily) -> [String] {
        set.ranges.map { range in
            let first = family.text(range.lowerBound)
            let size = range.upperBound - range.lowerBound
            if size == 0 { return first }
            // A range that begins at a multiple of its size, a power of two, is a prefix.
            let length = size.leadingZeroBitCount - (128 - family.bits)
            if size & (size &+ 1) == 0, range.lowerBound & size == 0 { return "\(first)/\(length)" }
            return "\(first)-\(family.text(range.upperBound))"
        }
    }

    private static func published(
        _ filter: PacketFilter, _ family: AddressFamily, _ interfaces: [String], _ own: [UInt128]
    ) -> [Published] {
        guard let source = family.strangers.first else { return [] }
        var found: [String: [String: [PortSet]]] = [:]
        for interface in interfaces {
            for (index, transport) in transports.enumerated() {
                let stranger = Stranger(
                    family: family, interface: interface, source: source, transport: transport, own: own)
                for (target, ports) in filter.published(stranger) {
                    found[target, default: [:]][interface, default: [.none, .none]][index] = ports
                }
            }
        }
        return found.flatMap { target, byInterface in
            grouped(byInterface, interfaces) { ports, interface in
                Published(
                    interface: byInterface.count == interfaces.count
                        ? interface : interfaces.first { byInterface[$0] != nil },
                    ports: texts(ports), target: target)
            }
        }.sorted()
    }
}
