import PDDocument

/// `ip_addresses`: the addresses of the machine, and the one that the rest of the world sees, as a service says that
/// `collector_settings:ip_addresses:url` names. Off until it is switched on, since it tells somebody else.
struct IPAddressesCollector: Collector {
    let name = "ip_addresses"
    let commands: Set = ["curl"]

    /// How long an answer is kept, in milliseconds.
    static let keptFor: Int64 = 3_600_000

    func collect(_ context: CollectorContext) throws -> Value {
        var result = DocumentWriter()
        let own = try context.machine.ipv4Addresses().map { $0.address }.filter { !$0.hasPrefix("127.") }
        result.append("addresses", Set(own).sorted())
        guard let url = context.settings["url"]?.string else {
            result.append("external", "unknown")
            result.append("reason", "no URL is set that tells the address")
            return .document(result.finish())
        }
        do {
            let key = own.sorted().joined(separator: " ")
            let fact = try context.memory.value(key, notOlderThan: Self.keptFor, now: context.now) {
                let text = trimmed(try WebRequest(url: url).answer(context))
                guard let address = Self.address(text) else {
                    throw WebRequest.Failure(description: "the service did not answer with an address")
                }
                return .string(address)
            }
            result.append("external", fact.value)
            result.append("external_at", .date(milliseconds: fact.at))
        } catch {
            result.append("external", "unknown")
            result.append("reason", .string("\(error)"))
        }
        return .document(result.finish())
    }

    /// The address in an answer: alone, or under `ip` in an object.
    static func address(_ text: String) -> String? {
        let said = (try? Document(json: Array(text.utf8)))?["ip"]?.string ?? text
        guard (3...45).contains(said.utf8.count), said.contains(".") || said.contains(":"),
            said.allSatisfy({ $0.isHexDigit || $0 == "." || $0 == ":" })
        else { return nil }
        return said
    }
}
