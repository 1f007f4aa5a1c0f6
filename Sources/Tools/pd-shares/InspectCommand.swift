import ArgumentParser
import PDShamir
import PDShareFiles

struct InspectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "inspect",
        abstract: "Show what is written on a share, but not its secret part.")

    @Argument(help: "A share, a directory of shares or a sealed file; - to type or paste a share.")
    var file: String

    @Flag(help: "Print JSON.")
    var json = false

    func run() throws {
        let all = try Self.facts(file)
        if json {
            let objects = all.map { facts in
                let members = facts.map { "  \(Printable.json($0.key)): \($0.value.json)" }
                return "{\n" + members.joined(separator: ",\n") + "\n}"
            }
            // One share is an object, several are an array of such.
            let text = objects.joined(separator: ",\n")
            try Terminal.say(objects.count == 1 ? text : "[\n\(text)\n]")
        } else {
            for (index, facts) in all.enumerated() {
                if index > 0 { try Terminal.say("") }
                for fact in facts { try Terminal.say("\(fact.key): \(fact.value.text)") }
            }
        }
    }

    /// A value that can be shown.
    enum Value {
        case text(String)
        case number(Int)
        case truth(Bool)
        case none

        var json: String {
            switch self {
            case .text(let text): Printable.json(text)
            case .number(let number): "\(number)"
            case .truth(let truth): "\(truth)"
            case .none: "null"
            }
        }

        var text: String {
            switch self {
            case .text(let text): Printable.escaped(text)
            case .number(let number): "\(number)"
            case .truth(let truth): truth ? "yes" : "no"
            case .none: "-"
            }
        }
    }

    /// What is known of each share, or of the one sealed file.
    private static func facts(_ path: String) throws(ToolError) -> [[(key: String, value: Value)]] {
        func name(_ text: String) -> (key: String, value: Value) { ("file", .text(text)) }
        let keepers = Passphrases.forShares(descriptor: nil)
        let given: ShareInput
        do {
            given = try ShareInput([path], keepers: keepers, typed: StandardInput(keepers, alone: true).read)
        } catch let error as ToolError {
            throw error
        } catch {
            throw ToolError("\(error)")
        }
        for line in given.damaged.flatMap(\.lines).dropLast() { Terminal.note("pd-shares: \(line)") }
        if let last = given.damaged.last?.lines.last { throw ToolError(last) }
        if !given.gfshare.isEmpty {
            return given.gfshare.map {
                [
                    name($0.file.name), ("format", .text("gfshare")), ("share", .number(Int($0.number))),
                    ("secret_bytes", .number($0.bytes)),
                ]
            }
        }
        guard !given.native.isEmpty else { return try [[name(path)] + sealedFacts(given.sealed.first)] }
        return given.native.map { [name($0.name)] + nativeFacts($0.share) }
    }

    private static func nativeFacts(_ share: Share) -> [(key: String, value: Value)] {
        let (bytes, sealed) =
            switch share.set.content {
            case .direct(let bytes): (bytes, false)
            case .sealed(let bytes): (bytes, true)
            }
        return [
            ("format", .text("native")),
            ("version", .number(ShareSet.format)),
            ("set", .text(share.set.identifierText)),
            ("label", share.set.label.map { .text($0) } ?? .none),
            ("created", .text(share.set.created)),
            ("threshold", .number(share.set.threshold)),
            ("shares", .number(share.set.shares)),
            ("share", .number(Int(share.number))),
            ("holder", share.holder.map { .text($0) } ?? .none),
            ("secret_bytes", .number(bytes)),
            ("sealed", .truth(sealed)),
            ("passphrase", .truth(share.protection != nil)),
            // A share with a wrong checksum is refused before this.
            ("checksums", .text("ok")),
        ]
    }

    private static func sealedFacts(_ file: InputFile?) throws(ToolError) -> [(key: String, value: Value)] {
        guard let file, let set = try SealedFiles.header(file) else { return [] }
        return [
            ("format", .text("sealed")), ("set", .text(ShareSet.text(ofIdentifier: set))),
            ("file_bytes", .number(file.size ?? 0)),
        ]
    }
}
