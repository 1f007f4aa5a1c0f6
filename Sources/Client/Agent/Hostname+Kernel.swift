import PDCrypto
import PDProtocol

extension Hostname {
    /// Names that many machines have, and that say nothing of any.
    private static let common: Set = ["", "localhost", "localhost.localdomain", "(none)", "none"]

    /// A name to report as, whatever the kernel has for one: as it is, where that is a host name; else made safe, with an
    /// identifier of this machine at its end, so that two machines do not become one.
    init(kernelName: [UInt8], machineID: [UInt8]) {
        let text = String(decoding: kernelName, as: UTF8.self)
        if !Self.common.contains(text.lowercased()), let plain = Hostname(text) {
            self = plain
            return
        }
        let safe = kernelName.map { byte -> UInt8 in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"):
                byte
            default: UInt8(ascii: "-")
            }
        }
        // The machine's own identifier is to be told to nobody (machine-id(5)); what is derived from it may be.
        let seed = machineID.isEmpty ? kernelName : machineID
        let digest = SHA256.hash(Array("penguindome host name".utf8) + seed)
        let identifier = digest.prefix(5).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        let trimmed = String(decoding: safe, as: UTF8.self).split(separator: "-").joined(separator: "-")
            .prefix(48)
        let stem = Self.common.contains(text.lowercased()) || trimmed.isEmpty ? "host" : String(trimmed)
        // Letters, digits and single hyphens: always a host name.
        self = Hostname("\(stem)-\(identifier)") ?? Self.unnamed
    }

    private static var unnamed: Hostname {
        guard let name = Hostname("host") else { preconditionFailure("'host' is a host name") }
        return name
    }
}
