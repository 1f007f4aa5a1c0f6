import PDCrypto
import PDDocument
import PDFiles
import PDProtocol

/// What this machine was told of its server's keys, in `keys.json`.
struct KeyHistory: Equatable {
    /// The last statement that was followed; 0 where none was.
    var serial = 0
    /// The client key that it named.
    var clientKey: OpenPGP.Fingerprint?
    /// The keys that the server had before, the newest last.
    var formerServerKeys: [OpenPGP.Fingerprint] = []
    /// How the server sees this machine's own keys.
    var standing: V2.MachineStanding?
    /// What is yet to be put in place: a power cut must not leave half of a statement followed.
    var pending: Pending?

    /// Files that a statement replaces.
    struct Pending: Equatable {
        let serverKey: String
        let authority: String?
    }

    init() {}

    /// Reads the file. A missing or damaged one says nothing: what it says can be asked for again.
    init(file: String) {
        guard let bytes = try? Files.read(file, links: .refuse), let document = try? Document(json: bytes)
        else { return }
        serial = document["serial"]?.integer ?? 0
        clientKey = document["client_key"]?.string.flatMap { OpenPGP.Fingerprint(hex: $0) }
        formerServerKeys = (document["former_server_keys"]?.array ?? []).compactMap {
            $0.string.flatMap { OpenPGP.Fingerprint(hex: $0) }
        }
        standing = document["standing"]?.string.flatMap { V2.MachineStanding(rawValue: $0) }
        if let fields = document["pending"]?.document, let key = fields["server_key"]?.string {
            pending = Pending(serverKey: key, authority: fields["certificates"]?.string)
        }
    }

    func write(to file: String) throws(FileError) {
        var writer = DocumentWriter()
        writer.append("serial", .int(serial))
        if let clientKey { writer.append("client_key", .string("\(clientKey)")) }
        if !formerServerKeys.isEmpty {
            writer.append("former_server_keys", .array(formerServerKeys.map { .string("\($0)") }))
        }
        if let standing { writer.append("standing", .string(standing.rawValue)) }
        if let pending {
            var fields = DocumentWriter()
            fields.append("server_key", .string(pending.serverKey))
            if let authority = pending.authority { fields.append("certificates", .string(authority)) }
            writer.append("pending", .document(fields.finish()))
        }
        try Files.writeAtomically(Array(writer.finish().json().utf8), to: file)
    }
}
